//! The page: a table a section, each with a sentence on what was done.

use super::result::{Contested, Memory, Outcomes};
use crate::bench::table::Table;
use crate::bench::works::Section;
use std::fmt::Write;

pub(super) fn page(outcomes: &Outcomes) -> String {
    let Outcomes {
        threads, processor, ..
    } = outcomes;
    let command = if outcomes.quick {
        "cargo xtask bench --peers --quick"
    } else {
        "cargo xtask bench --peers"
    };
    let mut page = format!(
        "# Benchmarks\n\n\
         Written by `{command}` on {processor}, {threads} threads, with {contestants}; all runs are in `BENCHMARKS.json`.\n\
         Everybody is a process of its own that does the same work on the same data in the same order, in turn, round after round; a\n\
         figure is the median over the rounds. Starting, building and warming up are not counted. `benches/peers` says how each does it.\n",
        contestants = outcomes.contestants.join(", "),
    );
    section(
        &mut page,
        outcomes,
        Section::Steps,
        "Whole steps",
        "Training: forward, backward and Adam, and the losses of all agree; inference: outputs as plain numbers. In brackets how many\n\
         times as fast Plywood is.",
    );
    section(
        &mut page,
        outcomes,
        Section::Products,
        "Matrix products",
        "One thread, 32-bit floats, row-major, into memory that is there already; MKL is called from Python, which costs the small ones\n\
         about a microsecond.",
    );
    section(
        &mut page,
        outcomes,
        Section::Threads,
        "Threads",
        "Plywood's training steps on all threads, and in brackets how many times as fast as on one.",
    );
    section(
        &mut page,
        outcomes,
        Section::Precision,
        "bf16",
        "Plywood's training steps with products and convolutions in bf16, and in brackets how many times as fast as in `f32`.",
    );
    memory(&mut page, &outcomes.memory);
    page
}

fn section(page: &mut String, outcomes: &Outcomes, section: Section, title: &str, about: &str) {
    let results = outcomes.results.iter();
    let results: Vec<&Contested> = results
        .filter(|result| result.row.section == section)
        .collect();
    let Some(first) = results.first() else {
        return;
    };
    let mut head = vec!["work", "unit"];
    head.extend(first.row.entries.iter().map(|entry| entry.name));
    // Of two, the bracket says it already.
    let many = first.entered.len() > 2;
    head.extend(many.then_some("over the fastest"));
    let mut table = Table::new(&head);
    let mut notes = Vec::new();
    for result in &results {
        let mut cells = cells(result, &mut notes);
        if many {
            cells.push(times(result.over_the_fastest()));
        }
        table.row(cells);
    }
    notes.extend(variants(&results));
    write(page, &format!("\n## {title}\n\n{about}\n\n{table}"));
    if !notes.is_empty() {
        write(page, "\n");
    }
    for note in notes {
        write(page, &format!("- {note}\n"));
    }
}

/// A row's title, unit, rates and ratios; reasons for empty cells go to `notes`.
fn cells(result: &Contested, notes: &mut Vec<String>) -> Vec<String> {
    let row = &result.row;
    let mut cells = vec![row.title.clone(), row.unit.to_owned()];
    let ratios = [None].into_iter().chain(result.ratios());
    for (index, (rate, ratio)) in result.rates().into_iter().zip(ratios).enumerate() {
        if let Some(reason) = &result.entered[index].unsupported {
            let note = format!("{}, {}: {reason}.", row.entries[index].name, row.title);
            notes.push(note);
        }
        cells.push(match (rate, ratio) {
            (None, _) => "–".to_owned(),
            (Some(rate), None) => number(rate),
            (Some(rate), Some(_)) => format!("{} ({})", number(rate), times(ratio)),
        });
    }
    cells
}

/// Which of several ways contestants chose, and where.
fn variants(results: &[&Contested]) -> Vec<String> {
    let mut seen: Vec<(String, Vec<&str>)> = Vec::new();
    for result in results {
        for (entry, entered) in result.row.entries.iter().zip(&result.entered) {
            let Some(variant) = &entered.variant else {
                continue;
            };
            let chosen = format!("{} had images {variant}", entry.name);
            match seen.iter_mut().find(|(other, _)| *other == chosen) {
                Some((_, titles)) => titles.push(&result.row.title),
                None => seen.push((chosen, vec![&result.row.title])),
            }
        }
    }
    let say = |(chosen, titles): (String, Vec<&str>)| {
        format!("{chosen}, the faster way, in: {}.", titles.join("; "))
    };
    seen.into_iter().map(say).collect()
}

fn memory(page: &mut String, memory: &[Memory]) {
    let own = memory.first().and_then(|memory| memory.bytes);
    let mut table = Table::new(&["contestant", "MiB", "over Plywood"]);
    for Memory { name, bytes } in memory {
        let mebibytes = bytes.map_or("–".to_owned(), |bytes| (bytes >> 20).to_string());
        let ratio = bytes.zip(own).map(|(bytes, own)| bytes as f64 / own as f64);
        table.row([(*name).to_owned(), mebibytes, times(ratio)]);
    }
    write(
        page,
        &format!(
            "\n## Memory\n\nThe most that a process held in memory which did nothing but train the CNN at batch 32, everything that the\n\
             framework brings along included.\n\n{table}"
        ),
    );
}

fn write(page: &mut String, text: &str) {
    page.write_str(text)
        .expect("a string takes what it is given");
}

/// Three digits that count, at least.
fn number(value: f64) -> String {
    let places = if value >= 100.0 { 0 } else { 1 };
    format!("{value:.places$}")
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}x"))
}

#[cfg(test)]
mod tests {
    use super::super::result::tests::contested;
    use super::{Memory, Outcomes, page};

    fn outcomes() -> Outcomes {
        let mut result = contested(&[(1.0, 0.5), (2.0, 0.5), (4.0, 0.5), (5.0, 0.5), (0.0, 0.0)]);
        result.entered[1].variant = Some("channels last".to_owned());
        let last = &mut result.entered[4];
        last.runs.clear();
        last.unsupported = Some("no such layer".to_owned());
        Outcomes {
            results: vec![result],
            memory: [("Plywood", 10 << 20), ("PyTorch", 25 << 20)]
                .map(|(name, bytes)| Memory {
                    name,
                    bytes: Some(bytes),
                })
                .into(),
            contestants: vec!["Plywood 0.1.0".to_owned(), "PyTorch 2".to_owned()],
            threads: 2,
            quick: false,
            processor: "a processor".to_owned(),
        }
    }

    #[test]
    fn the_page_has_rates_ratios_reasons_and_memory() {
        let page = page(&outcomes());
        for expected in [
            "on a processor, 2 threads, with Plywood 0.1.0, PyTorch 2",
            "| CNN training, batch 32 | images/s | 320     | 160 (2.00x) | 80.0 (4.00x) | 64.0 (5.00x) | –      | 2.00x ",
            "- candle, CNN training, batch 32: no such layer.",
            "- PyTorch had images channels last, the faster way, in: CNN training, batch 32.",
            "| PyTorch    | 25  | 2.50x        |",
        ] {
            assert!(page.contains(expected), "{expected} is not in\n{page}");
        }
        assert!(
            !page.contains("Matrix products"),
            "a section without rows has no title"
        );
    }

    #[test]
    fn the_record_has_every_run() {
        let record: serde_json::Value = serde_json::from_str(&outcomes().record()).unwrap();
        let entries = &record["results"][0]["entries"];
        assert_eq!(entries[1]["runs"][0], serde_json::json!([10.0, 2.0]));
        assert_eq!(entries[1]["rate"], 160.0);
        assert_eq!(entries[4]["unsupported"], "no such layer");
        assert_eq!(record["memory"][1]["bytes"], 25 << 20);
    }
}
