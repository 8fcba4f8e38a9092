//! Dropout: y = x ⊙ m, and dx = dy ⊙ m, with a mask m of zeros and 1/keep that is drawn again whenever it is needed.
//!
//! Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 2014. On the inputs of a
//! recurrent layer one mask serves all steps of a sample: Gal and Ghahramani, *A theoretically grounded application of
//! dropout in recurrent neural networks*, NIPS 2016. Whether a number is kept follows from seed, stream, step and its
//! place in the batch alone, so it does not matter how the batch is cut into blocks.

pub use plywood_kernels::elementwise::Dropout;

use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::random::Random;
use plywood_tensor::Tensor;

/// The elements of a layer that reads its sequences in reverse start here, apart from those of one that does not.
const REVERSE: u64 = 1 << 62;

/// Factors that are drawn together and then serve all steps.
const CHUNK: usize = 64;

/// Dropout on the inputs of a recurrent layer: a mask for every sample and feature, the same at all steps.
#[derive(Clone, Copy, Debug)]
pub struct StepDropout {
    /// Seed, stream (the layer) and training step.
    pub random: Random,
    /// Probability of dropping a number, in [0, 1).
    pub rate: f64,
    /// Samples N of the block.
    pub samples: usize,
    /// Features F of a sample.
    pub features: usize,
    /// The place in the batch of the block's first sample.
    pub first_sample: usize,
    /// Whether the layer reads in reverse: the two directions of a layer have masks of their own.
    pub reverse: bool,
}

impl StepDropout {
    /// Multiplies inputs, or their gradients, by the mask: `[steps·N][F]`, row `t·N + n` being step t of sample n.
    ///
    /// # Panics
    /// If `values` is not whole steps, or the rate is not in [0, 1).
    pub fn apply_in_place<T: Float>(&self, values: &mut [T]) {
        let Self {
            samples, features, ..
        } = *self;
        let block = samples * features;
        if block == 0 {
            return;
        }
        assert!(
            values.len().is_multiple_of(block),
            "dropout: {} numbers are not whole steps of {samples} samples of {features} features",
            values.len()
        );
        for n in 0..samples {
            for start in (0..features).step_by(CHUNK) {
                let mut factors = [T::ONE; CHUNK];
                let factors = &mut factors[..CHUNK.min(features - start)];
                self.mask(n, start).apply(factors);
                for step in values.chunks_exact_mut(block) {
                    let values = &mut step[n * features + start..][..factors.len()];
                    for (value, factor) in values.iter_mut().zip(&*factors) {
                        *value *= *factor;
                    }
                }
            }
        }
    }

    /// The mask of sample `n` of the block, from feature `start` on.
    fn mask(&self, n: usize, start: usize) -> Dropout {
        let place = (self.first_sample + n) * self.features + start;
        Dropout {
            random: self.random,
            first_element: place as u64 + if self.reverse { REVERSE } else { 0 },
            keep: 1.0 - self.rate,
        }
    }
}

impl<T: Float> Var<'_, T> {
    /// Every element kept with probability `mask.keep`, and then divided by it, or 0.
    ///
    /// # Panics
    /// If `mask.keep` is not in (0, 1].
    #[must_use]
    #[track_caller]
    pub fn dropout(self, mask: Dropout) -> Self {
        self.masked(move |values| mask.apply(values))
    }

    /// The inputs of a recurrent layer with one mask for all steps of a sample.
    ///
    /// # Shapes
    /// `self` \[steps\]\[mask.samples\]\[mask.features\].
    ///
    /// # Panics
    /// If the shape is another, or the rate is not in [0, 1).
    #[must_use]
    #[track_caller]
    pub fn step_dropout(self, mask: StepDropout) -> Self {
        let shape = self.shape();
        assert!(
            shape.len() == 3 && shape[1..] == [mask.samples, mask.features],
            "step_dropout: a value of shape {shape:?} for {} samples of {} features",
            mask.samples,
            mask.features
        );
        self.masked(move |values| mask.apply_in_place(values))
    }

    /// What the same mask does to a value and to its gradient.
    #[track_caller]
    fn masked(self, apply: impl Fn(&mut [T]) + 'static) -> Self {
        let mut y = Tensor::clone(&self.value());
        apply(y.data_mut());
        self.tape().record(&[self], y, move |step| {
            let mut dx = step.output_gradient().to_vec();
            apply(&mut dx);
            step.add(0, dx);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Dropout, StepDropout};
    use crate::gradcheck;
    use crate::ops::sample;
    use plywood_kernels::random::Random;

    const RANDOM: Random = Random {
        seed: 3,
        stream: 1,
        step: 9,
    };

    fn of_steps(samples: usize, features: usize) -> StepDropout {
        StepDropout {
            random: RANDOM,
            rate: 0.4,
            samples,
            features,
            first_sample: 0,
            reverse: false,
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        for len in [0, 1, 7, 64, 65] {
            for keep in [0.1, 0.5, 0.9, 1.0] {
                let mask = Dropout {
                    random: RANDOM,
                    first_element: 5,
                    keep,
                };
                gradcheck(&[sample(1, [len])], |_, v| v[0].dropout(mask)).unwrap();
            }
        }
        for shape in [
            [1, 1, 1],
            [0, 2, 2],
            [3, 0, 2],
            [3, 2, 0],
            [4, 3, 5],
            [2, 2, 70],
        ] {
            let mask = of_steps(shape[1], shape[2]);
            gradcheck(&[sample(1, shape)], |_, v| v[0].step_dropout(mask)).unwrap();
        }
    }

    #[test]
    fn the_share_dropped_is_the_rate_and_what_is_kept_is_scaled() {
        let mut values = vec![1.0_f64; 300 * 100];
        of_steps(300, 100).apply_in_place(&mut values);
        let kept = values.iter().filter(|&&x| x != 0.0).count();
        assert!((kept as f64 / 30_000.0 - 0.6).abs() < 0.01, "{kept}");
        assert!(
            values
                .iter()
                .all(|&x| x == 0.0 || (x - 1.0 / 0.6).abs() < 1e-15)
        );
    }

    #[test]
    fn a_mask_is_the_same_at_all_steps_and_for_the_sample_in_any_block() {
        let (samples, features, steps) = (5, 70, 3);
        let mut whole = vec![1.0_f64; steps * samples * features];
        of_steps(samples, features).apply_in_place(&mut whole);
        for step in whole.chunks_exact(samples * features) {
            assert_eq!(step, &whole[..samples * features]);
        }
        for n in 0..samples {
            let mut alone = vec![1.0_f64; features];
            StepDropout {
                first_sample: n,
                ..of_steps(1, features)
            }
            .apply_in_place(&mut alone);
            assert_eq!(alone, &whole[n * features..][..features]);
        }
        let mut reverse = vec![1.0_f64; samples * features];
        StepDropout {
            reverse: true,
            ..of_steps(samples, features)
        }
        .apply_in_place(&mut reverse);
        assert_ne!(reverse, &whole[..samples * features]);
    }

    #[test]
    #[should_panic(expected = "step_dropout: a value of shape [2, 3] for 3 samples of 4 features")]
    fn another_shape_is_refused() {
        let tape = crate::Tape::new();
        let _ = tape.leaf(sample(1, [2, 3])).step_dropout(of_steps(3, 4));
    }
}
