//! Dropout with a mask that is never stored.
//!
//! Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 2014, in the inverted
//! form: what is kept is scaled by 1/p, so inference needs nothing. Whether an element is kept follows from its own
//! random word ([`Random::at`]), so the backward pass draws the very same mask again, and a slice may be cut anywhere.

use crate::float::Float;
use crate::random::Random;
use crate::simd::{Kernel, Simd};

/// Which elements of one layer are kept at one step.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Seed, stream (the layer) and step.
    pub random: Random,
    /// Index of the slice's first element among all that this layer sees at this step.
    pub first_element: u64,
    /// Probability of keeping an element, in (0, 1].
    pub keep: f64,
}

impl Dropout {
    /// values\[i\] = kept ? values\[i\] / keep : values\[i\] · 0, for outputs forward and for gradients backward.
    ///
    /// # Panics
    /// If `keep` is not in (0, 1].
    pub fn apply<T: Float>(self, values: &mut [T]) {
        assert!(
            self.keep > 0.0 && self.keep <= 1.0,
            "dropout: a probability of keeping of {}",
            self.keep
        );
        T::dispatch(Apply {
            dropout: self,
            values,
        });
    }

    /// The factor that one element of the slice is multiplied by: 1/keep or 0.
    pub fn factor<T: Float>(self, index: usize) -> T {
        self.factor_of(self.random.at(self.first_element + index as u64))
    }

    #[inline(always)]
    fn factor_of<T: Float>(self, word: u32) -> T {
        // keep = 1 makes the threshold 2³², which no word reaches.
        let is_kept = f64::from(word) < self.keep * 4_294_967_296.0;
        if is_kept {
            T::from_f64(1.0 / self.keep)
        } else {
            T::ZERO
        }
    }
}

/// Blocks of four words drawn together, and the elements they serve.
const BLOCKS: usize = 16;
const CHUNK: usize = 4 * BLOCKS;

struct Apply<'a, T> {
    dropout: Dropout,
    values: &'a mut [T],
}

impl<T: Float> Kernel<T> for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { dropout, values } = self;
        let mut element = dropout.first_element;
        let mut rest = values;
        while !rest.is_empty() {
            // A chunk starts at a block's first word; the first chunk leaves out what lies before the slice.
            let skipped = (element % 4) as usize;
            let count = rest.len().min(CHUNK - skipped);
            let words = dropout.random.blocks::<BLOCKS>(element / 4);
            let mut factors = [T::ZERO; CHUNK];
            for block in 0..BLOCKS {
                for word in 0..4 {
                    factors[4 * block + word] = dropout.factor_of(words[word][block]);
                }
            }
            let (now, later) = rest.split_at_mut(count);
            let factors = &factors[skipped..skipped + count];
            for (x, factor) in now.chunks_mut(S::LANES).zip(factors.chunks(S::LANES)) {
                simd.store_partial(simd.mul(simd.load_partial(x), simd.load_partial(factor)), x);
            }
            element += count as u64;
            rest = later;
        }
    }
}
