//! The gradients of a convolution behind which a max-pool stands: only the pixels that won a window count.
//!
//! ```text
//! for each window, oc:
//!     g = dy[window][oc], at the pixel of the window's maximum
//!     for kh, kw, ic:
//!         dw[kh][kw][ic][oc] += x[pixel + (kh, kw)][ic] · g
//!         dx[pixel + (kh, kw)][ic] += w[kh][kw][ic][oc] · g
//! ```
//!
//! Where sizes allow it the winners alone are followed (`winners`), or for the weights of few channels all places of a window
//! (`narrow`). Elsewhere (padding, groups) dy is spread over the convolution's output, a sample at a time, and the plain
//! gradients follow. The ways add up in different orders; sizes alone decide between them.

use super::narrow::{self, Narrow};
use super::table::Table;
use super::winners::{self, Prepare, is_sparse};
use super::{
    Dims, InputGradient, Pass, WeightGradient, check_len, input_gradient_on,
    input_gradient_scratch_len, prepare_on, prepared_len, weight_gradient_on,
    weight_gradient_scratch_len,
};
use crate::float::Float;
use crate::pool::{self, MaxBackward, max_backward};
use crate::simd::Isa;

/// The gradients of the weight and of x from that of the pool's output.
#[derive(Debug)]
pub struct BackwardPool<'a, T> {
    /// The sizes of the convolution.
    pub dims: &'a Dims,
    /// The sizes of the pool, whose input is the convolution's output.
    pub pool: &'a pool::Dims,
    /// `[samples][input]`
    pub x: &'a [T],
    /// `[kernel rows][kernel columns][channels in / groups][channels out]`
    pub weight: &'a [T],
    /// What [`prepare_backward_pool`] derived from it at the same level; may be empty without `dx`.
    pub prepared: &'a [T],
    /// Like the pool's output, the gradient before the activation.
    pub dy: &'a [T],
    /// What the forward pass kept.
    pub places: &'a [u8],
    /// Like the weight; added to.
    pub dweight: &'a mut [T],
    /// Like x, overwritten.
    pub dx: Option<&'a mut [T]>,
    /// [`backward_pool_scratch_len`] elements of any content.
    pub scratch: &'a mut [T],
}

/// Elements of scratch space that [`backward_pool`] needs, at any level.
pub fn backward_pool_scratch_len(dims: &Dims, pool: &pool::Dims) -> usize {
    if is_sparse(dims, pool) {
        return dims.weight_len();
    }
    let one = Dims {
        samples: 1,
        ..*dims
    };
    one.output_len() + weight_gradient_scratch_len(&one).max(input_gradient_scratch_len(&one))
}

/// Elements that [`prepare_backward_pool`] derives, at any level. The number of samples does not matter.
pub fn backward_pool_prepared_len<T: Float>(dims: &Dims, pool: &pool::Dims) -> usize {
    if is_sparse(dims, pool) {
        winners::prepared_len(dims, pool)
    } else {
        prepared_len::<T>(dims, Pass::InputGradient)
    }
}

/// Derives from the weight what [`backward_pool`] reads of it, at the active level. The number of samples does not
/// matter.
///
/// # Panics
/// If the weight's length does not fit the sizes, if the sizes do not fit together, or if `prepared` is short.
pub fn prepare_backward_pool<T: Float>(
    dims: &Dims,
    pool: &pool::Dims,
    weight: &[T],
    prepared: &mut [T],
) {
    prepare_backward_pool_on(Isa::active(), dims, pool, weight, prepared);
}

/// Derives it at the level `isa`.
///
/// # Panics
/// As [`prepare_backward_pool`], and if this machine lacks `isa`.
pub fn prepare_backward_pool_on<T: Float>(
    isa: Isa,
    dims: &Dims,
    pool: &pool::Dims,
    weight: &[T],
    prepared: &mut [T],
) {
    if !is_sparse(dims, pool) {
        prepare_on(isa, dims, Pass::InputGradient, weight, prepared);
        return;
    }
    check_len("the weight", weight.len(), dims.weight_len());
    check_prepared(dims, pool, prepared.len());
    (Table::get().prepare_winners)(
        isa,
        Prepare {
            dims,
            pool,
            weight,
            prepared,
        },
    );
}

fn check_prepared(dims: &Dims, pool: &pool::Dims, found: usize) {
    let needed = winners::prepared_len(dims, pool);
    assert!(
        found >= needed,
        "conv: {found} prepared elements, {needed} are needed"
    );
}

/// Computes the gradients at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes, if the sizes do not fit together, if the scratch space is short, or if a
/// place lies outside of its window.
pub fn backward_pool<T: Float>(pass: BackwardPool<'_, T>) {
    backward_pool_on(Isa::active(), pass);
}

/// Computes the gradients at the level `isa`.
///
/// # Panics
/// As [`backward_pool`], and if this machine lacks `isa`.
pub fn backward_pool_on<T: Float>(isa: Isa, mut pass: BackwardPool<'_, T>) {
    let (dims, pool) = (pass.dims, pass.pool);
    dims.check();
    pool.check();
    assert!(
        pool.samples == dims.samples && pool.input == dims.output,
        "conv: the pool's input is not the convolution's output"
    );
    check_len("x", pass.x.len(), dims.input_len());
    check_len("the weight", pass.weight.len(), dims.weight_len());
    check_len("dy", pass.dy.len(), pool.output_len());
    check_len("places", pass.places.len(), pool.places_len());
    check_len("dweight", pass.dweight.len(), dims.weight_len());
    let (found, needed) = (pass.scratch.len(), backward_pool_scratch_len(dims, pool));
    assert!(
        found >= needed,
        "conv: {found} elements of scratch space, {needed} are needed"
    );
    if let Some(dx) = &mut pass.dx {
        check_len("dx", dx.len(), dims.input_len());
        dx.fill(T::ZERO);
    }
    if pool.output_len() == 0 || dims.input_len() == 0 {
        return;
    }
    let (is_sparse, is_narrow) = (is_sparse(dims, pool), narrow::takes(dims, pool));
    if !is_sparse && !is_narrow {
        by_sample(isa, pass, Wanted::Both);
        return;
    }
    let most = pool.kernel[0] * pool.kernel[1];
    let last = pass.places.iter().copied().fold(0, u8::max);
    assert!(
        usize::from(last) < most,
        "conv: a place lies outside of its window"
    );
    if is_narrow {
        by_term(isa, pass);
        return;
    }
    if pass.dx.is_some() {
        check_prepared(dims, pool, pass.prepared.len());
    }
    (Table::get().through_winners)(isa, pass);
}

/// The weight gradient term by term, the input gradient as ever.
fn by_term<T: Float>(isa: Isa, pass: BackwardPool<'_, T>) {
    (Table::get().narrow)(
        isa,
        Narrow {
            dims: pass.dims,
            pool: pass.pool,
            x: pass.x,
            dy: pass.dy,
            places: pass.places,
            dweight: &mut *pass.dweight,
        },
    );
    if pass.dx.is_some() {
        by_sample(isa, pass, Wanted::InputGradient);
    }
}

#[derive(PartialEq, Eq)]
enum Wanted {
    Both,
    InputGradient,
}

/// The plain gradients of one sample after the other.
fn by_sample<T: Float>(isa: Isa, pass: BackwardPool<'_, T>, wanted: Wanted) {
    let BackwardPool {
        x,
        weight,
        prepared,
        dy,
        places,
        dweight,
        mut dx,
        scratch,
        ..
    } = pass;
    let dims = &Dims {
        samples: 1,
        ..*pass.dims
    };
    let pool = &pool::Dims {
        samples: 1,
        ..*pass.pool
    };
    let (gradient, scratch) = scratch.split_at_mut(dims.output_len());
    for n in 0..pass.dims.samples {
        let dy = &dy[n * pool.output_len()..][..pool.output_len()];
        let places = &places[n * pool.places_len()..][..pool.places_len()];
        max_backward(MaxBackward {
            dims: pool,
            dy,
            places,
            dx: gradient,
        });
        let dy = &*gradient;
        let x = &x[n * dims.input_len()..][..dims.input_len()];
        if wanted == Wanted::Both {
            weight_gradient_on(
                isa,
                WeightGradient {
                    dims,
                    x,
                    dy,
                    dweight,
                    scratch,
                },
            );
        }
        if let Some(dx) = &mut dx {
            let dx = &mut dx[n * dims.input_len()..][..dims.input_len()];
            input_gradient_on(
                isa,
                InputGradient {
                    dims,
                    weight,
                    prepared,
                    dy,
                    dx,
                    scratch,
                },
            );
        }
    }
}
