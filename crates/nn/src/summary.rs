//! A network as a table: what `Net::summary()` returns.

use crate::network::Network;
use plywood_shape::{LayerInfo, chain, table};
use std::fmt;

/// The layers of a network and what each costs, for reading: print it with `{}`.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    name: &'static str,
    layers: &'static [LayerInfo],
}

/// The columns; those of [`LEFT`] are flushed left.
const TITLES: [&str; 7] = [
    "layer",
    "kind",
    "output",
    "parameters",
    "flops",
    "bytes",
    "fused with",
];
const LEFT: [usize; 4] = [0, 1, 2, 6];

impl Summary {
    /// The table of a network.
    #[must_use]
    pub fn of<N: Network>() -> Self {
        Self {
            name: N::NAME,
            layers: N::LAYERS,
        }
    }

    fn row(&self, index: usize) -> [String; 7] {
        let LayerInfo {
            name,
            kind,
            plan,
            fused_into,
            frozen,
            ..
        } = &self.layers[index];
        let follows = self
            .layers
            .get(index + 1)
            .is_some_and(|next| next.fused_into != index + 1);
        // Of fused layers, only the output of the last one lies in memory.
        let saved = 4 * (plan.saved.per_row + plan.saved.per_sample) + plan.saved_bytes.per_row;
        let bytes = if follows {
            saved
        } else {
            chain::activation_bytes(plan, 4)
        };
        let first = (*fused_into != index).then(|| self.layers[*fused_into].name.to_string());
        [
            name.to_string(),
            if *frozen {
                format!("{kind}, frozen")
            } else {
                (*kind).to_string()
            },
            plan.output.to_string(),
            grouped(plan.parameter_count()),
            grouped(plan.flops),
            grouped(bytes),
            first.unwrap_or_default(),
        ]
    }

    /// How many of the parameters are frozen.
    fn frozen(&self) -> usize {
        let frozen = self.layers.iter().filter(|layer| layer.frozen);
        frozen.map(|layer| layer.plan.parameter_count()).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = (0..self.layers.len())
            .map(|index| self.row(index))
            .collect();
        let widths: [usize; 7] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([TITLES[column].len()]).max().unwrap_or(0)
        });
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        writeln!(f, "{}", self.name)?;
        line(f, &TITLES.map(String::from), &widths)?;
        writeln!(f, "{rule}")?;
        for row in &rows {
            line(f, row, &widths)?;
        }
        writeln!(f, "{rule}")?;
        write!(f, "{} parameters", grouped(table::parameters(self.layers)))?;
        if self.frozen() > 0 {
            write!(f, ", of which {} are frozen", grouped(self.frozen()))?;
        }
        let flops = grouped(table::flops(self.layers));
        write!(f, "; {flops} flops a sample or step")
    }
}

fn line(f: &mut fmt::Formatter<'_>, cells: &[String; 7], widths: &[usize; 7]) -> fmt::Result {
    let padded: Vec<String> = (0..cells.len())
        .map(|column| {
            let (cell, width) = (&cells[column], widths[column]);
            if LEFT.contains(&column) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        })
        .collect();
    writeln!(f, "{}", padded.join("  ").trim_end())
}

/// `93322` as `93,322`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_come_in_threes() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(93_322), "93,322");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
