//! How Plywood's time grows with the size of the work: batch, side of the images, length of sequences, size of the state, threads.

use super::own::{Cnn, GruTagger, Once, drive};
use super::protocol::{Drive, Refusal, Work};
use super::table::Table;
use super::works::Effort;
use super::{machine, median};
use crate::Outcome;
use plywood::nn::loss::Loss;
use plywood::prelude::*;
use plywood::shape::Sample;
use std::path::Path;

/// A convolutional network for images of one side: the chapter's, with its last images averaged, so that all parameters but none of
/// the pixels stay the same in number.
macro_rules! sides {
    ($($name:ident $side:tt)*) => {$(
        plywood::model! {
            $name: Image<$side, $side, 1> => Logits<10> {
                Conv2d(32, kernel: 3), Relu, MaxPool2d(2),
                Conv2d(64, kernel: 3), Relu, MaxPool2d(2),
                Conv2d(64, kernel: 3), Relu,
                GlobalAvgPool2d,
                Dense(10),
            }
        }
    )*};
}
sides! { Side28 28 Side56 56 Side112 112 Side224 224 }

/// A recurrent network with a state of one size.
macro_rules! states {
    ($($name:ident $units:tt)*) => {$(
        plywood::model! {
            $name: Sequence<Vector<$units>> => Sequence<Logits<10>> {
                Gru($units, returns: sequence),
                Dense(10),
            }
        }
    )*};
}
states! { State32 32 State64 64 State128 128 State256 256 State512 512 State1024 1024 }

const BATCHES: [usize; 6] = [1, 4, 16, 64, 256, 1024];
const LENGTHS: [usize; 6] = [10, 30, 100, 300, 1000, 2000];

/// A point of a table: what it is called, how many units a step has, the time of a step on one thread and on all, in seconds.
struct Point {
    size: usize,
    units: f64,
    seconds: [f64; 2],
}

/// A table: what grows, in what the time is measured, and what the figures should be compared with.
struct Growth {
    title: &'static str,
    size: &'static str,
    unit: &'static str,
    about: &'static str,
    points: Vec<Point>,
}

/// Measures all tables and writes their page.
pub(super) fn run(root: &Path, effort: Effort) -> Outcome {
    let say = |what: &str| eprintln!("{what} ...");
    say("batch");
    let mut tables = batches(effort)?;
    say("image side");
    tables.push(sides(effort)?);
    say("sequence length");
    tables.push(lengths(effort)?);
    say("state");
    tables.push(states(effort)?);
    let page = page(&tables, effort);
    print!("{page}");
    machine::save(root, "BENCHMARKS-GROWTH.md", &page)
}

fn batches(effort: Effort) -> Result<Vec<Growth>, String> {
    let mut tables = [
        Growth {
            title: "Batch, CNN training",
            size: "batch",
            unit: "µs an image",
            about: "The chapter's CNN. A step updates 93,322 parameters whatever the batch, and one block of images keeps one thread busy:\n\
                    small batches pay the update per image and leave threads idle.",
            points: Vec::new(),
        },
        Growth {
            title: "Batch, GRU training",
            size: "batch",
            unit: "µs a token",
            about: "The chapter's GRU network, T 32. The update goes over all 640,000 numbers of its table, which small batches pay per\n\
                    token.",
            points: Vec::new(),
        },
    ];
    for batch in BATCHES {
        let images: Examples<_, Class<10>> = examples::<Cnn, _>(batch, 1, 10);
        tables[0].points.push(Point {
            size: batch,
            units: batch as f64,
            seconds: seconds::<Cnn, _>(&images, effort)?,
        });
        let texts: Examples<_, Sequence<Class<10>>> = examples::<GruTagger, _>(batch, 32, 10);
        tables[1].points.push(Point {
            size: batch,
            units: (32 * batch) as f64,
            seconds: seconds::<GruTagger, _>(&texts, effort)?,
        });
    }
    Ok(tables.into())
}

fn sides(effort: Effort) -> Result<Growth, String> {
    let points = vec![
        side::<Side28>(28, effort)?,
        side::<Side56>(56, effort)?,
        side::<Side112>(112, effort)?,
        side::<Side224>(224, effort)?,
    ];
    Ok(Growth {
        title: "Image side, CNN training, batch 32",
        size: "side",
        unit: "ns a pixel",
        about: "The chapter's convolutions, then the mean of each channel. Convolutions without padding drop the border, of which small\n\
                images have more: their pixels cost less.",
        points,
    })
}

fn side<N>(side: usize, effort: Effort) -> Result<Point, String>
where
    N: Network<Scalar = f32, Output = Logits<10>>,
    N::Input: Sample<Element<f32> = f32>,
{
    let images: Examples<_, Class<10>> = examples::<N, _>(32, 1, 10);
    Ok(Point {
        size: side,
        units: (32 * side * side) as f64 / 1e3,
        seconds: seconds::<N, _>(&images, effort)?,
    })
}

fn lengths(effort: Effort) -> Result<Growth, String> {
    let point = |steps| {
        let texts: Examples<_, Sequence<Class<10>>> = examples::<GruTagger, _>(32, steps, 10);
        Ok(Point {
            size: steps,
            units: (32 * steps) as f64,
            seconds: seconds::<GruTagger, _>(&texts, effort)?,
        })
    };
    Ok(Growth {
        title: "Sequence length, GRU training, batch 32",
        size: "steps",
        unit: "µs a token",
        about: "The chapter's GRU network. Short sequences pay the update of the table; what long ones keep for the way back outgrows the\n\
                caches.",
        points: LENGTHS
            .into_iter()
            .map(point)
            .collect::<Result<_, String>>()?,
    })
}

fn states(effort: Effort) -> Result<Growth, String> {
    let points = vec![
        state::<State32>(32, effort)?,
        state::<State64>(64, effort)?,
        state::<State128>(128, effort)?,
        state::<State256>(256, effort)?,
        state::<State512>(512, effort)?,
        state::<State1024>(1024, effort)?,
    ];
    Ok(Growth {
        title: "State, GRU training, batch 32, T 32",
        size: "units",
        unit: "ns a token and 1,000 weights",
        about: "One GRU with as many inputs as units: its weights, and with them its products, grow with the square. The gates'\n\
                non-linearities, which grow with the units alone, weigh on small states; weights that outgrow the caches on large ones.",
        points,
    })
}

fn state<N>(units: usize, effort: Effort) -> Result<Point, String>
where
    N: Network<Scalar = f32, Output = Sequence<Logits<10>>>,
    N::Input: Sample<Element<f32> = f32>,
{
    let sequences: Examples<_, Sequence<Class<10>>> = examples::<N, _>(32, 32, 10);
    let weights = 2 * 3 * units * units;
    Ok(Point {
        size: units,
        units: (32 * 32 * weights) as f64 / 1e6,
        seconds: seconds::<N, _>(&sequences, effort)?,
    })
}

/// A batch of numbers without pattern.
fn examples<N, G>(batch: usize, steps: usize, classes: u32) -> Examples<N::Input, G>
where
    N: Network<Scalar = f32>,
    G: Sample<Element<f32> = u32>,
    <N::Input as Sample>::Element<f32>: Fill,
{
    let mut examples = Examples::default();
    examples.resize(batch, steps);
    for (index, value) in examples.inputs.data_mut().iter_mut().enumerate() {
        *value = Fill::without_pattern(index);
    }
    for (index, class) in examples.targets.data_mut().iter_mut().enumerate() {
        *class = (index * 7919 % 1000) as u32 % classes;
    }
    examples
}

/// What a batch can be filled with.
trait Fill {
    fn without_pattern(index: usize) -> Self;
}

impl Fill for f32 {
    fn without_pattern(index: usize) -> Self {
        ((index * 7919 + 13) % 1000) as Self / 1000.0
    }
}

impl Fill for u32 {
    fn without_pattern(index: usize) -> Self {
        (index * 7919 % 10_000) as Self
    }
}

/// Seconds of a training step on one thread and on all: the median over rounds in turn.
fn seconds<N, G>(examples: &Examples<N::Input, G>, effort: Effort) -> Result<[f64; 2], String>
where
    N: Network<Scalar = f32>,
    G: Sample,
    CrossEntropy: Loss<N::Output, G>,
{
    let (rounds, span) = if effort.quick { (3, 0.1) } else { (5, 0.5) };
    let mut all = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (times, threads) in all.iter_mut().zip([1, effort.threads]) {
            times.push(once::<N, G>(examples, threads, span)?);
        }
    }
    Ok(all.map(|mut times| median(&mut times)))
}

fn once<N, G>(examples: &Examples<N::Input, G>, threads: usize, span: f64) -> Result<f64, String>
where
    N: Network<Scalar = f32>,
    G: Sample,
    CrossEntropy: Loss<N::Output, G>,
{
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| error.to_string())?;
    let work = Work {
        mode: "training".to_owned(),
        warm_up: 2,
        rate: 1e-3,
        ..Work::default()
    };
    let mut driver = Once {
        work: work.clone(),
        seconds: span,
        timed: None,
    };
    let examples = std::slice::from_ref(examples);
    let outcome = pool.install(|| drive::<N, G>(&work, examples, &mut driver as &mut dyn Drive));
    match (outcome, driver.timed) {
        (Ok(()), Some(timed)) => Ok(timed.seconds / timed.steps as f64),
        (Err(Refusal::Unsupported(what) | Refusal::Fault(what)), _) => Err(what),
        (Ok(()), None) => Err("nothing was run".to_owned()),
    }
}

fn page(tables: &[Growth], Effort { quick, threads }: Effort) -> String {
    let quickly = if quick { " --quick" } else { "" };
    let mut page = format!(
        "# How time grows\n\n\
         Written by `cargo xtask bench --growth{quickly}` on {}: training steps of Plywood alone, the time divided by the size. Where work is\n\
         linear in what grows, a column stays the same from top to bottom; each table says what bends it.\n",
        machine::processor()
    );
    for growth in tables {
        let all = format!("{} on {threads} threads", growth.unit);
        let one = format!("{} on one thread", growth.unit);
        let mut table = Table::new(&[growth.size, "ms a step", &one, &all, "threads over one"]);
        for point in &growth.points {
            let [one, all] = point.seconds;
            table.row([
                point.size.to_string(),
                format!("{:.3}", all * 1e3),
                format!("{:.3}", one * 1e6 / point.units),
                format!("{:.3}", all * 1e6 / point.units),
                format!("{:.2}x", one / all),
            ]);
        }
        page.push_str(&format!(
            "\n## {}\n\n{}\n\n{table}",
            growth.title, growth.about
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{Effort, Growth, Point, page};

    #[test]
    fn a_point_has_its_time_a_unit() {
        let growth = Growth {
            title: "Batch",
            size: "batch",
            unit: "µs an image",
            about: "Linear.",
            points: vec![Point {
                size: 32,
                units: 32.0,
                seconds: [64e-4, 32e-4],
            }],
        };
        let page = page(
            &[growth],
            Effort {
                quick: false,
                threads: 2,
            },
        );
        let row = page.lines().last().unwrap_or_default();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[1..6], ["32", "3.200", "200.000", "100.000", "2.00x"]);
    }
}
