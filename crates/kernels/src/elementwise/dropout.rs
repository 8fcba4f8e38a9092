//! Dropout with a mask that is never stored.
//!
//! Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 2014, in the inverted
//! form: what is kept is scaled by 1/p, so inference needs nothing. Whether an element is kept follows from its own
//! random word ([`Random::at`]), so the backward pass draws the very same mask again, and a slice may be cut anywhere.

use crate::float::Float;
use crate::random::Random;
use crate::simd::{Isa, Kernel, Simd};

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
        let dropout = self;
        T::drop_out(Isa::active(), Apply { dropout, values });
    }

    /// The factor that one element of the slice is multiplied by: 1/keep or 0.
    pub fn factor<T: Float>(self, index: usize) -> T {
        let word = self.random.at(self.first_element + index as u64);
        if word <= self.last_kept() {
            self.scale()
        } else {
            T::ZERO
        }
    }

    /// The largest word that keeps its element: words below keep · 2³² do.
    #[inline(always)]
    fn last_kept(self) -> u32 {
        ((self.keep * 4_294_967_296.0).ceil() - 1.0) as u32
    }

    #[inline(always)]
    fn scale<T: Float>(self) -> T {
        T::from_f64(1.0 / self.keep)
    }
}

pub(crate) struct Apply<'a, T> {
    dropout: Dropout,
    values: &'a mut [T],
}

impl<T: Float> Kernel<T> for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { dropout, values } = self;
        let (last_kept, scale) = (dropout.last_kept(), dropout.scale());
        let mut element = dropout.first_element;
        let mut rest = values;
        while !rest.is_empty() {
            // Words start at a block's first; the first ones may lie before the slice.
            let skipped = (element % 4) as usize;
            let words = simd.random_words(dropout.random, element / 4);
            let count = rest.len().min(words.len() - skipped);
            let (now, later) = rest.split_at_mut(count);
            for (x, word) in now.iter_mut().zip(&words[skipped..]) {
                *x *= if *word <= last_kept { scale } else { T::ZERO };
            }
            element += count as u64;
            rest = later;
        }
    }
}
