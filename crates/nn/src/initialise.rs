//! How the tensors of a new network are filled.
//!
//! A layer's plan says how each of its tensors starts ([`Fill`]); this file draws the numbers. Every tensor has
//! randomness of its own, addressed by seed, layer and tensor, so a layer starts alike whatever the others draw. All is
//! computed in `f64` and rounded once: an `f32` network starts as the `f64` network of the same seed, rounded.
//!
//! Sources: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010); He et
//! al., *Delving deep into rectifiers* (2015); Saxe et al., *Exact solutions to the nonlinear dynamics of learning in
//! deep linear neural networks* (2014).

use plywood_kernels::Float;
use plywood_kernels::random::{Random, Sequence};
use plywood_shape::{Fill, Parameter};

/// Where all randomness of a network or a training starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Seed(pub u64);

/// The stream of random numbers that belongs to initialisation.
const STREAM: u32 = 1;
/// Addresses reserved for the tensors of a layer; a plan declares at most 12.
const TENSORS_PER_LAYER: usize = 16;
/// The standard deviation of a standard normal variable that is cut at ±2.
const CUT_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// Fills tensor `tensor` of layer `layer`, whose numbers are `values`, as it declares.
///
/// # Panics
/// If `values` is not as long as the tensor.
pub fn fill<T: Float>(
    parameter: &Parameter,
    values: &mut [T],
    seed: Seed,
    layer: usize,
    tensor: usize,
) {
    assert_eq!(
        values.len(),
        parameter.count(),
        "`{}` of layer {layer}: numbers to fill",
        parameter.name
    );
    debug_assert!(tensor < TENSORS_PER_LAYER);
    let mut random = Random {
        seed: seed.0,
        stream: STREAM,
        step: (layer * TENSORS_PER_LAYER + tensor) as u32,
    }
    .sequence();
    match parameter.fill {
        Fill::Zeros => values.fill(T::ZERO),
        Fill::Ones => values.fill(T::ONE),
        Fill::Constant(value) => values.fill(T::from_f64(value)),
        Fill::Uniform { bound } => uniform(values, bound, &mut random),
        Fill::Normal { deviation } => {
            values.fill_with(|| T::from_f64(deviation * random.normal::<f64>()));
        }
        Fill::Glorot { fan_in, fan_out } => {
            let bound = (6.0 / (fan_in + fan_out).max(1) as f64).sqrt();
            uniform(values, bound, &mut random);
        }
        Fill::He { fan_in } => {
            let deviation = (2.0 / fan_in.max(1) as f64).sqrt() / CUT_DEVIATION;
            values.fill_with(|| T::from_f64(deviation * cut_normal(&mut random)));
        }
        Fill::Orthogonal => orthogonal(values, parameter.sizes(), &mut random),
        Fill::ZerosAndOnes { start, end } => {
            values.fill(T::ZERO);
            values[start..end].fill(T::ONE);
        }
    }
}

/// Uniform in `[-bound, bound)`.
fn uniform<T: Float>(values: &mut [T], bound: f64, random: &mut Sequence) {
    values.fill_with(|| T::from_f64(bound * (2.0 * random.uniform::<f64>() - 1.0)));
}

/// Standard normal, drawn again where it lies outside of ±2.
fn cut_normal(random: &mut Sequence) -> f64 {
    loop {
        let x = random.normal::<f64>();
        if x.abs() <= 2.0 {
            return x;
        }
    }
}

/// Fills a matrix whose last axis is its columns, one square block of columns after the other, each with orthonormal
/// columns; a block that is left over is narrower.
///
/// A recurrent weight `[units, gates × units]` gets one orthogonal matrix a gate, so each gate by itself keeps the
/// length of the state. Keras draws one `units × (gates × units)` matrix with orthonormal rows instead, whose gates each
/// shrink the state.
fn orthogonal<T: Float>(values: &mut [T], sizes: &[usize], random: &mut Sequence) {
    let columns = sizes.last().copied().unwrap_or(1);
    if values.is_empty() {
        return;
    }
    let rows = values.len() / columns;
    let mut start = 0;
    while start < columns {
        let width = rows.min(columns - start);
        let block = orthonormal_columns(rows, width, random);
        for (column, unit) in block.chunks_exact(rows).enumerate() {
            for (row, &value) in unit.iter().enumerate() {
                values[row * columns + start + column] = T::from_f64(value);
            }
        }
        start += width;
    }
}

/// `width ≤ rows` orthonormal vectors of `rows` numbers, one after the other, uniform over all such sets.
///
/// Gram and Schmidt's process on normal vectors, each orthogonalised twice against rounding ("twice is enough", Giraud
/// et al., 2005). It is the QR factorisation whose R has a positive diagonal, which makes the Q of a normal matrix
/// uniform (Mezzadri, *How to generate random matrices from the classical compact groups*, 2007).
fn orthonormal_columns(rows: usize, width: usize, random: &mut Sequence) -> Vec<f64> {
    let mut done: Vec<f64> = Vec::with_capacity(rows * width);
    while done.len() < rows * width {
        let mut vector: Vec<f64> = (0..rows).map(|_| random.normal()).collect();
        let drawn = dot(&vector, &vector).sqrt();
        for unit in done.chunks_exact(rows).chain(done.chunks_exact(rows)) {
            let along = dot(&vector, unit);
            for (x, u) in vector.iter_mut().zip(unit) {
                *x -= along * u;
            }
        }
        let left = dot(&vector, &vector).sqrt();
        // A vector that nearly lies in the span of the others is drawn again.
        if left > 1e-8 * drawn {
            done.extend(vector.iter().map(|x| x / left));
        }
    }
    done
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::{Seed, fill};
    use plywood_shape::layers::{Dense, Embedding, Lstm};
    use plywood_shape::{Fill, Plan, Shape, Size};

    fn filled(sizes: &[usize], how: Fill, at: (u64, usize, usize)) -> Vec<f64> {
        let sizes: Vec<Size> = sizes.iter().map(|&size| Size::Known(size)).collect();
        let plan =
            Plan::yields(Shape::vector(1), Shape::vector(1)).parameter("weight", &sizes, how);
        let mut values = vec![f64::NAN; plan.parameter_count()];
        fill(&plan.tensors()[0], &mut values, Seed(at.0), at.1, at.2);
        values
    }

    /// Mean and variance.
    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (
            mean,
            values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n,
        )
    }

    #[test]
    fn distributions_have_their_bounds_and_variances() {
        let glorot = Fill::Glorot {
            fan_in: 300,
            fan_out: 100,
        };
        let bound = (6.0_f64 / 400.0).sqrt();
        let uniform = Fill::Uniform { bound: 0.05 };
        let deviation = (2.0_f64 / 300.0).sqrt();
        let cases = [
            (glorot, bound, bound * bound / 3.0),
            (uniform, 0.05, 0.0025 / 3.0),
            (
                Fill::He { fan_in: 300 },
                2.0 * deviation / 0.8796,
                deviation * deviation,
            ),
            (Fill::Normal { deviation: 0.3 }, 0.3 * 6.0, 0.09),
        ];
        for (how, bound, variance) in cases {
            let values = filled(&[300, 100], how, (5, 0, 0));
            let (mean, found) = moments(&values);
            let most = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(
                most <= bound && most > 0.5 * bound,
                "{how:?}: {most} of {bound}"
            );
            assert!(
                mean.abs() < 4.0 * (variance / 3e4).sqrt(),
                "{how:?}: mean {mean}"
            );
            assert!(
                (found / variance - 1.0).abs() < 0.03,
                "{how:?}: {found}, not {variance}"
            );
        }
    }

    #[test]
    fn each_gate_of_a_recurrent_weight_is_orthogonal() {
        for (units, gates) in [(1, 3), (7, 1), (64, 4)] {
            let columns = units * gates;
            let values = filled(&[units, columns], Fill::Orthogonal, (9, 2, 1));
            for gate in 0..gates {
                for (i, j) in (0..units).flat_map(|i| (0..units).map(move |j| (i, j))) {
                    let at =
                        |row: usize, column: usize| values[row * columns + gate * units + column];
                    let product: f64 = (0..units).map(|row| at(row, i) * at(row, j)).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!(
                        (product - expected).abs() < 1e-12,
                        "{units}: {i}, {j}: {product}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_square_has_orthonormal_columns_block_by_block() {
        let values = filled(&[3, 5], Fill::Orthogonal, (1, 0, 0));
        for (i, j, expected) in [(0, 2, 0.0), (1, 1, 1.0), (3, 4, 0.0), (4, 4, 1.0)] {
            let product: f64 = (0..3)
                .map(|row| values[row * 5 + i] * values[row * 5 + j])
                .sum();
            assert!((product - expected).abs() < 1e-12);
        }
        assert!(filled(&[0, 0], Fill::Orthogonal, (1, 0, 0)).is_empty());
    }

    #[test]
    fn constants_are_constants() {
        assert_eq!(filled(&[3], Fill::Zeros, (1, 0, 0)), [0.0; 3]);
        assert_eq!(filled(&[3], Fill::Ones, (1, 0, 0)), [1.0; 3]);
        assert_eq!(filled(&[3], Fill::Constant(0.25), (1, 0, 0)), [0.25; 3]);
        let forget = Fill::ZerosAndOnes { start: 1, end: 3 };
        assert_eq!(filled(&[4], forget, (1, 0, 0)), [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_address_decides_and_nothing_else() {
        let normal = Fill::Normal { deviation: 1.0 };
        let here = filled(&[40], normal, (3, 2, 1));
        assert_eq!(here, filled(&[40], normal, (3, 2, 1)));
        for elsewhere in [(4, 2, 1), (3, 3, 1), (3, 2, 0)] {
            let other = filled(&[40], normal, elsewhere);
            assert!(here.iter().all(|x| !other.contains(x)), "{elsewhere:?}");
        }
    }

    #[test]
    fn f32_is_f64_rounded() {
        let plan = Dense::new(5).plan(Shape::vector(9));
        let weight = &plan.tensors()[0];
        let (mut narrow, mut wide) = (vec![0.0_f32; 45], vec![0.0_f64; 45]);
        fill(weight, &mut narrow, Seed(7), 0, 0);
        fill(weight, &mut wide, Seed(7), 0, 0);
        assert!(
            narrow
                .iter()
                .zip(&wide)
                .all(|(&narrow, &wide)| narrow == wide as f32)
        );
    }

    #[test]
    fn every_kind_of_layer_can_be_filled() {
        let sequence = Shape::vector(6).in_sequence();
        let plans = [
            Lstm::new(4).plan(sequence),
            Embedding::new(3).plan(Shape::token(8).in_sequence()),
        ];
        for plan in plans {
            for (i, tensor) in plan.tensors().iter().enumerate() {
                let mut values = vec![f32::NAN; tensor.count()];
                fill(tensor, &mut values, Seed(1), 0, i);
                assert!(values.iter().all(|x| x.is_finite()), "{}", tensor.name);
            }
        }
        let plan = Lstm::new(4).plan(sequence);
        let mut bias = [f32::NAN; 16];
        fill(&plan.tensors()[2], &mut bias, Seed(1), 0, 2);
        assert_eq!(bias[..4], [0.0; 4]);
        assert_eq!(bias[4..8], [1.0; 4]);
        assert_eq!(bias[8..], [0.0; 8]);
    }
}
