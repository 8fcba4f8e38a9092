//! The equations of the chapter that Plywood implements, transcribed as they are printed.
//!
//! Layers follow the frameworks, which differ from them in places; tests show how the two go together.

use super::activation::sigmoid;

/// `y(u,v) = Σ x(x,y) · k(u − x, v − y)`: the true convolution of one channel, over every (u, v) where a product exists.
///
/// # Shapes
/// `x` is H×W, `k` is h×w, the result (H + h − 1)×(W + w − 1). Its part without the outer h − 1 rows and w − 1 columns on every side is the
/// cross-correlation of frameworks with the kernel flipped in both axes.
#[must_use]
pub fn convolution(
    x: &[f64],
    [rows, columns]: [usize; 2],
    k: &[f64],
    [height, width]: [usize; 2],
) -> Vec<f64> {
    let (out_rows, out_columns) = (rows + height - 1, columns + width - 1);
    let mut y = vec![0.0; out_rows * out_columns];
    for u in 0..out_rows {
        for v in 0..out_columns {
            for i in 0..rows {
                for j in 0..columns {
                    if (i..i + height).contains(&u) && (j..j + width).contains(&v) {
                        y[u * out_columns + v] += x[i * columns + j] * k[(u - i) * width + v - j];
                    }
                }
            }
        }
    }
    y
}

/// `p(i,j) = max(window)` with windows of `size` × `size` side by side over one channel of `rows` × `columns`; what is left over is
/// dropped.
#[must_use]
pub fn max_pool(x: &[f64], [rows, columns]: [usize; 2], size: usize) -> Vec<f64> {
    let mut p = Vec::new();
    for i in 0..rows / size {
        for j in 0..columns / size {
            let at = |k: usize| x[(i * size + k / size) * columns + j * size + k % size];
            p.push((0..size * size).map(at).fold(f64::NEG_INFINITY, f64::max));
        }
    }
    p
}

/// A gate's parameters: `weight` acts on `[h, x]`, the state's numbers and then the input's, so it is `[units + features][units]`.
#[derive(Clone, Debug)]
pub struct Gate {
    /// `[units + features][units]`.
    pub weight: Vec<f64>,
    /// `[units]`.
    pub bias: Vec<f64>,
}

impl Gate {
    /// `W[h, x] + b`.
    fn apply(&self, h: &[f64], x: &[f64]) -> Vec<f64> {
        let units = self.bias.len();
        let joined: Vec<f64> = h.iter().chain(x).copied().collect();
        let unit = |j: usize| {
            let products = joined
                .iter()
                .enumerate()
                .map(|(i, v)| v * self.weight[i * units + j]);
            products.sum::<f64>() + self.bias[j]
        };
        (0..units).map(unit).collect()
    }
}

/// One step of the chapter's GRU, from the state `h` and the input `x` to the next state.
///
/// `z = σ(W_z[h,x] + b_z)`, `r = σ(W_r[h,x] + b_r)`, `h̃ = tanh(W_h[r⊙h, x] + b_h)`, `h' = (1 − z)⊙h + z⊙h̃`. The reset acts before
/// the product, and z weighs the candidate: frameworks get the same from `reset_after = false` and −W_z, −b_z.
#[must_use]
pub fn gru_step(h: &[f64], x: &[f64], update: &Gate, reset: &Gate, candidate: &Gate) -> Vec<f64> {
    let z: Vec<f64> = update.apply(h, x).into_iter().map(sigmoid).collect();
    let r: Vec<f64> = reset.apply(h, x).into_iter().map(sigmoid).collect();
    let kept: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
    let tilde: Vec<f64> = candidate
        .apply(&kept, x)
        .into_iter()
        .map(f64::tanh)
        .collect();
    (0..h.len())
        .map(|j| (1.0 - z[j]) * h[j] + z[j] * tilde[j])
        .collect()
}

/// Gates of the chapter's LSTM.
#[derive(Clone, Debug)]
pub struct Lstm {
    /// What enters the cell.
    pub input: Gate,
    /// What the cell keeps.
    pub forget: Gate,
    /// What the cell shows.
    pub output: Gate,
    /// What would enter.
    pub candidate: Gate,
}

impl Lstm {
    /// One step, from state `h`, cell `c` and input `x` to the next state and cell.
    ///
    /// `i, f, o = σ(…)`, `c̃ = tanh(…)`, `c' = f⊙c + i⊙c̃`, `h' = o⊙tanh(c')`.
    #[must_use]
    pub fn step(&self, h: &[f64], c: &[f64], x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let gate = |gate: &Gate| {
            gate.apply(h, x)
                .into_iter()
                .map(sigmoid)
                .collect::<Vec<_>>()
        };
        let (i, f, o) = (gate(&self.input), gate(&self.forget), gate(&self.output));
        let tilde: Vec<f64> = self
            .candidate
            .apply(h, x)
            .into_iter()
            .map(f64::tanh)
            .collect();
        let next: Vec<f64> = (0..c.len())
            .map(|j| f[j] * c[j] + i[j] * tilde[j])
            .collect();
        let shown = (0..c.len()).map(|j| o[j] * next[j].tanh()).collect();
        (shown, next)
    }
}
