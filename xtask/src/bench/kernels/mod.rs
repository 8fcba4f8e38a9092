//! Single kernels on one thread: how fast, and which share of the peak that the same run measured.

mod clock;
mod convolutions;
mod passes;
mod peak;
mod products;
mod recurrent;

pub(super) use products::{SQUARES, THIN};

use super::table::Table;
use crate::Outcome;
use clock::Clock;
use plywood::kernels::{AlignedVec, Isa};

/// What a kernel did in how long.
struct Row {
    name: String,
    seconds: f64,
    work: Amount,
}

/// What a kernel's speed is measured in.
enum Amount {
    /// Floating-point operations of the sums that the result is defined by, whatever the algorithm saves of them.
    Flops(f64),
    /// Bytes read and written, each counted once.
    Bytes(f64),
}

/// Prints the table of kernels, and what several threads reach together: two processors of a virtual machine may be one core.
pub(super) fn run(quick: bool, threads: usize) -> Outcome {
    let clock = Clock { quick };
    let before = peak::gflops(clock);
    let mut table = Table::new(&["kernel", "µs", "GFLOP/s", "of the peak", "GB/s"]);
    let groups = [
        products::rows,
        convolutions::rows,
        recurrent::rows,
        passes::rows,
    ];
    let rows: Vec<Row> = groups.into_iter().flat_map(|group| group(clock)).collect();
    // A core that was idle takes a while to reach its clock.
    let peak = before.max(peak::gflops(clock));
    println!(
        "kernels on one thread, level {}; the peak is {peak:.1} GFLOP/s, of {threads} threads together {:.1}",
        Isa::active(),
        peak::together(clock, threads)?
    );
    for row in rows {
        table.row(row.cells(peak));
    }
    print!("{table}");
    Ok(())
}

impl Row {
    /// Times `run`, which does `work`.
    fn timed(clock: Clock, name: impl Into<String>, work: Amount, run: impl FnMut()) -> Self {
        Self {
            name: name.into(),
            seconds: clock.seconds(run),
            work,
        }
    }

    fn cells(self, peak: f64) -> [String; 5] {
        let micros = format!("{:.1}", self.seconds * 1e6);
        let none = String::new;
        match self.work {
            Amount::Flops(flops) => {
                let rate = flops / self.seconds / 1e9;
                let share = format!("{:.0} %", 100.0 * rate / peak);
                [self.name, micros, format!("{rate:.1}"), share, none()]
            }
            Amount::Bytes(bytes) => {
                let rate = format!("{:.1}", bytes / self.seconds / 1e9);
                [self.name, micros, none(), none(), rate]
            }
        }
    }
}

/// Bytes of `count` numbers.
fn bytes(count: usize) -> Amount {
    Amount::Bytes((count * size_of::<f32>()) as f64)
}

/// Numbers without pattern between −1 and 1, none of them denormal.
fn filled(len: usize) -> AlignedVec<f32> {
    let mut values = AlignedVec::zeroed(len);
    for (i, value) in values.iter_mut().enumerate() {
        *value = ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::{Amount, Row};

    #[test]
    fn a_row_has_the_rate_and_the_share_of_the_peak() {
        let row = |work| Row {
            name: "kernel".to_owned(),
            seconds: 1e-3,
            work,
        };
        let cells = row(Amount::Flops(5e7)).cells(100.0);
        assert_eq!(cells, ["kernel", "1000.0", "50.0", "50 %", ""]);
        let cells = row(Amount::Bytes(5e6)).cells(100.0);
        assert_eq!(cells, ["kernel", "1000.0", "", "", "5.0"]);
    }
}
