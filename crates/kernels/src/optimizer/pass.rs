//! The loop that all update rules share.

use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// An update rule with N numbers of state a parameter.
pub(super) trait Update<T: Float, const N: usize>: Copy {
    /// New parameter and state from the old ones and the gradient, lane by lane.
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        parameter: S::Vector,
        gradient: S::Vector,
        state: [S::Vector; N],
    ) -> (S::Vector, [S::Vector; N]);
}

/// Applies a rule to slices.
///
/// # Panics
/// If the lengths differ.
pub(super) fn update<T: Float, const N: usize>(
    rule: impl Update<T, N>,
    parameters: &mut [T],
    gradients: &[T],
    state: [&mut [T]; N],
) {
    assert_eq!(
        parameters.len(),
        gradients.len(),
        "optimizer: a gradient for each parameter"
    );
    for state in &state {
        assert_eq!(
            parameters.len(),
            state.len(),
            "optimizer: a state for each parameter"
        );
    }
    T::dispatch(Pass {
        rule,
        parameters,
        gradients,
        state,
    });
}

struct Pass<'a, T, U, const N: usize> {
    rule: U,
    parameters: &'a mut [T],
    gradients: &'a [T],
    state: [&'a mut [T]; N],
}

impl<T: Float, U: Update<T, N>, const N: usize> Kernel<T> for Pass<'_, T, U, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            rule,
            parameters,
            gradients,
            state,
        } = self;
        let mut first = 0;
        while first + S::LANES <= parameters.len() {
            let mut old = [simd.zero(); N];
            for i in 0..N {
                old[i] = simd.load(&state[i][first..]);
            }
            let (parameter, gradient) = (
                simd.load(&parameters[first..]),
                simd.load(&gradients[first..]),
            );
            let (parameter, new) = rule.apply(simd, parameter, gradient, old);
            simd.store(parameter, &mut parameters[first..]);
            for i in 0..N {
                simd.store(new[i], &mut state[i][first..]);
            }
            first += S::LANES;
        }
        // What is left goes through the same code, a part of a vector at a time.
        let mut old = [simd.zero(); N];
        for i in 0..N {
            old[i] = simd.load_partial(&state[i][first..]);
        }
        let parameter = simd.load_partial(&parameters[first..]);
        let gradient = simd.load_partial(&gradients[first..]);
        let (parameter, new) = rule.apply(simd, parameter, gradient, old);
        simd.store_partial(parameter, &mut parameters[first..]);
        for i in 0..N {
            simd.store_partial(new[i], &mut state[i][first..]);
        }
    }
}
