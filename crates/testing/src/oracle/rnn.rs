//! Recurrent layers over one sequence, `[step][feature]` in and `[step][unit]` out, from a zero state.
//!
//! Weights are in Keras' order of gates: GRU `z, r, h`; LSTM `i, f, c, o`.

use super::activation::sigmoid;

/// Parameters of a layer with `g` gates: side by side in columns.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// `[features][g · units]`.
    pub weight: &'a [f64],
    /// `[units][g · units]`.
    pub recurrent: &'a [f64],
    /// `[g · units]`; `[2][g · units]` (of the input, of the state) for a GRU that resets after the product.
    pub bias: &'a [f64],
    /// Numbers of the state.
    pub units: usize,
}

impl Weights<'_> {
    /// `Σ x[i] · W[i][column]`.
    fn input(&self, x: &[f64], column: usize) -> f64 {
        product(x, self.weight, column)
    }

    /// `Σ h[i] · U[i][column]`.
    fn state(&self, h: &[f64], column: usize) -> f64 {
        product(h, self.recurrent, column)
    }
}

fn product(x: &[f64], matrix: &[f64], column: usize) -> f64 {
    let columns = matrix.len() / x.len();
    x.iter()
        .enumerate()
        .map(|(i, x)| x * matrix[i * columns + column])
        .sum()
}

/// `h' = tanh(x·W + h·U + b)`.
#[must_use]
pub fn simple_rnn(x: &[f64], features: usize, weights: &Weights<'_>) -> Vec<f64> {
    over_steps(x, features, weights.units, |x, h| {
        let unit = |j| (weights.input(x, j) + weights.state(h, j) + weights.bias[j]).tanh();
        (0..weights.units).map(unit).collect()
    })
}

/// `h' = z⊙h + (1 − z)⊙c` with the gates `z, r = σ(x·W + h·U + b)` and a candidate whose recurrent part the gate r resets.
///
/// After the product (`reset_after`), `c = tanh(x·W + b + r⊙(h·U + d))` with the state's biases d, which z and r have too; before it,
/// `c = tanh(x·W + (r⊙h)·U + b)`.
#[must_use]
pub fn gru(x: &[f64], features: usize, weights: &Weights<'_>, reset_after: bool) -> Vec<f64> {
    let units = weights.units;
    let (bias, state_bias) = weights.bias.split_at(3 * units);
    let of_state = |column: usize| if reset_after { state_bias[column] } else { 0.0 };
    over_steps(x, features, units, |x, h| {
        let gate = |column: usize| {
            let from_state = weights.state(h, column) + of_state(column);
            sigmoid(weights.input(x, column) + bias[column] + from_state)
        };
        let reset: Vec<f64> = (0..units).map(|j| gate(units + j)).collect();
        let kept: Vec<f64> = h.iter().zip(&reset).map(|(h, r)| h * r).collect();
        let unit = |j: usize| {
            let column = 2 * units + j;
            let recurrent = if reset_after {
                reset[j] * (weights.state(h, column) + of_state(column))
            } else {
                weights.state(&kept, column)
            };
            let candidate = (weights.input(x, column) + bias[column] + recurrent).tanh();
            let z = gate(j);
            z * h[j] + (1.0 - z) * candidate
        };
        (0..units).map(unit).collect()
    })
}

/// `c' = f⊙c + i⊙g`, `h' = o⊙tanh c'` with the gates `i, f, o = σ(x·W + h·U + b)` and `g = tanh(x·W + h·U + b)`.
#[must_use]
pub fn lstm(x: &[f64], features: usize, weights: &Weights<'_>) -> Vec<f64> {
    let units = weights.units;
    let mut cells = vec![0.0; units];
    over_steps(x, features, units, |x, h| {
        let sum =
            |column| weights.input(x, column) + weights.state(h, column) + weights.bias[column];
        let unit = |j: usize| {
            let (i, f) = (sigmoid(sum(j)), sigmoid(sum(units + j)));
            let (g, o) = (sum(2 * units + j).tanh(), sigmoid(sum(3 * units + j)));
            cells[j] = f * cells[j] + i * g;
            o * cells[j].tanh()
        };
        (0..units).map(unit).collect()
    })
}

/// The sequence read from its last step to its first: the states, in the order of the steps.
#[must_use]
pub fn reversed(
    x: &[f64],
    features: usize,
    units: usize,
    layer: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    reverse_rows(&layer(&reverse_rows(x, features)), units)
}

fn reverse_rows(x: &[f64], columns: usize) -> Vec<f64> {
    x.chunks_exact(columns).rev().flatten().copied().collect()
}

/// The states of all steps of a cell `step(x, h) -> h'`.
fn over_steps(
    x: &[f64],
    features: usize,
    units: usize,
    mut step: impl FnMut(&[f64], &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut state = vec![0.0; units];
    let mut states = Vec::new();
    for x in x.chunks_exact(features) {
        state = step(x, &state);
        states.extend_from_slice(&state);
    }
    states
}
