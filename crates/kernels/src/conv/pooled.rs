//! Convolution, bias, activation and max-pool in one pass: what the pool drops is never computed.
//!
//! A 2×2 pool that moves by two follows a few windows at a time (`windows`), behind an image of one channel window by window
//! (`mono`), and by Winograd's way is taken in registers, since a tile of 2×2 is a window and one of 4×4 four. Any other pool follows the convolution
//! of a sample while that lies in the cache. All give the bits of the two passes one after the other by the same kernel, places included:
//! bias and activation come before the comparison, since rounding and flat stretches of an activation can make equals of different
//! sums. Without the pool the same sizes may go by tiles of 3×3, and round otherwise.

use super::forward::{Packed, Target, convolve};
use super::table::Table;
use super::windows;
use super::winograd::{self, Scheme, Winograd};
use super::{Depthwise, Dims, Forward, Implementation, Pass, check_len, mono};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool::{self, MaxForward};
use crate::simd::{Isa, Kernel, Simd};

/// The forward pass: y = max-pool(activation(x ∗ weight + bias)).
#[derive(Debug)]
pub struct ForwardPool<'a, T> {
    /// The sizes of the convolution.
    pub dims: &'a Dims,
    /// The sizes of the pool, whose input is the convolution's output.
    pub pool: &'a pool::Dims,
    /// `[samples][input]`
    pub x: &'a [T],
    /// `[kernel rows][kernel columns][channels in / groups][channels out]`
    pub weight: &'a [T],
    /// What [`prepare_forward_pool`] derived from the weight, at the same level.
    pub prepared: &'a [T],
    /// Bias, one number a channel out, and activation.
    pub epilogue: Epilogue<'a, T>,
    /// The pool's output, overwritten.
    pub y: &'a mut [T],
    /// [`places_len`](pool::Dims::places_len) bytes of the pool, overwritten: where the maxima are.
    pub places: Option<&'a mut [u8]>,
    /// [`forward_pool_scratch_len`] elements of any content.
    pub scratch: &'a mut [T],
}

/// Elements of scratch space that [`forward_pool`] needs, at any level.
pub fn forward_pool_scratch_len(dims: &Dims, pool: &pool::Dims) -> usize {
    if let Some(scheme) = winograd::choose_in_windows::<f32>(dims, pool) {
        let in_windows = scheme.scratch_len(dims, Pass::Forward);
        return in_windows.max(by_sample_scratch_len(dims, pool));
    }
    by_sample_scratch_len(dims, pool)
}

fn by_sample_scratch_len(dims: &Dims, pool: &pool::Dims) -> usize {
    let used = used_output(dims, pool);
    super::forward_scratch_len(dims) + (used[0] * used[1] * used[2]).max(windows::SCRATCH)
}

/// Elements that [`prepare_forward_pool`] derives, at any level. The number of samples does not matter.
pub fn forward_pool_prepared_len<T: Float>(dims: &Dims, pool: &pool::Dims) -> usize {
    let best = |isa| Implementation::<T>::best_before_pool(isa, dims, pool);
    let len = |isa| (best(isa).prepared_len)(dims, Pass::Forward);
    Isa::ALL.into_iter().map(len).max().unwrap_or(0)
}

/// Derives from the weight what [`forward_pool`] reads of it, at the active level. The number of samples does not matter.
///
/// # Panics
/// If the weight's length does not fit the sizes, if the sizes do not fit together, or if `prepared` is short.
pub fn prepare_forward_pool<T: Float>(
    dims: &Dims,
    pool: &pool::Dims,
    weight: &[T],
    prepared: &mut [T],
) {
    prepare_forward_pool_on(Isa::active(), dims, pool, weight, prepared);
}

/// Derives it at the level `isa`.
///
/// # Panics
/// As [`prepare_forward_pool`], and if this machine lacks `isa`.
pub fn prepare_forward_pool_on<T: Float>(
    isa: Isa,
    dims: &Dims,
    pool: &pool::Dims,
    weight: &[T],
    prepared: &mut [T],
) {
    let best = Implementation::best_before_pool(isa, dims, pool);
    best.prepare(dims, Pass::Forward, weight, prepared);
}

/// Computes y at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes, if the sizes do not fit together, or if the scratch space is short.
pub fn forward_pool<T: Float>(pass: ForwardPool<'_, T>) {
    forward_pool_on(Isa::active(), pass);
}

/// Computes y at the level `isa`.
///
/// # Panics
/// As [`forward_pool`], and if this machine lacks `isa`.
pub fn forward_pool_on<T: Float>(isa: Isa, pass: ForwardPool<'_, T>) {
    pass.check(Implementation::best_before_pool(isa, pass.dims, pass.pool));
    if pass.pool.output_len() == 0 {
        return;
    }
    (way_of(&pass))(isa, pass);
}

impl<T: Float> ForwardPool<'_, T> {
    /// Panics unless the operands fit the sizes and the convolution's kernel.
    pub(super) fn check(&self, kernel: &Implementation<T>) {
        let (pass, dims, pool) = (self, self.dims, self.pool);
        dims.check();
        pool.check();
        assert!(
            pool.samples == dims.samples && pool.input == dims.output,
            "conv: a pool of {} × {:?} over a convolution that yields {} × {:?}",
            pool.samples,
            pool.input,
            dims.samples,
            dims.output
        );
        check_len("x", pass.x.len(), dims.input_len());
        check_len("the weight", pass.weight.len(), dims.weight_len());
        check_len("y", pass.y.len(), pool.output_len());
        let prepared = (kernel.prepared_len)(dims, Pass::Forward);
        assert!(
            pass.prepared.len() >= prepared,
            "conv: {} prepared elements, {prepared} are needed",
            pass.prepared.len()
        );
        if let Some(bias) = pass.epilogue.bias {
            check_len("the bias", bias.len(), dims.bias_len());
        }
        if let Some(places) = &pass.places {
            check_len("places", places.len(), pool.places_len());
        }
        let (found, needed) = (pass.scratch.len(), forward_pool_scratch_len(dims, pool));
        assert!(
            found >= needed,
            "conv: {found} elements of scratch space, {needed} are needed"
        );
    }
}

/// How sizes let the pass be done.
pub(super) fn way_of<T: Float>(pass: &ForwardPool<'_, T>) -> fn(Isa, ForwardPool<'_, T>) {
    let (dims, pool) = (pass.dims, pass.pool);
    let is_winograd = winograd::choose::<T>(dims, Pass::Forward).is_some();
    if let Some(scheme) = winograd::choose_in_windows::<T>(dims, pool) {
        if scheme == Scheme::Two {
            Table::get().pool_in_tiles_of_two
        } else {
            Table::get().pool_in_tiles_of_four
        }
    } else if mono::takes(dims, pool, pass.epilogue.activation) {
        Table::get().pool_of_one_channel
    } else if !is_winograd && windows::takes(dims, pool) {
        Table::get().pool_by_window
    } else {
        Table::get().pool_by_sample
    }
}

/// Rows, columns and channels of the convolution's output that the pool looks at.
fn used_output(dims: &Dims, pool: &pool::Dims) -> [usize; 3] {
    let used = |axis: usize| {
        let line = pool.axis(axis);
        if line.output == 0 || line.kernel == 0 {
            return 0;
        }
        let past = (line.output - 1) * line.stride + (line.kernel - 1) * line.dilation + 1;
        past.saturating_sub(line.before).min(dims.output[axis])
    };
    [used(0), used(1), dims.output[2]]
}

/// The convolution of a sample at a time, then its pool.
pub(super) struct BySample<'a, T>(pub(super) ForwardPool<'a, T>);

impl<T: Float> Kernel<T> for BySample<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let ForwardPool {
            dims,
            pool,
            x,
            weight,
            prepared,
            epilogue,
            y,
            mut places,
            scratch,
        } = self.0;
        let scheme = winograd::choose::<T>(dims, Pass::Forward);
        let output = used_output(dims, pool);
        let dims = &Dims {
            samples: 1,
            output,
            ..*dims
        };
        let pool = &pool::Dims {
            samples: 1,
            input: output,
            ..*pool
        };
        let (buffer, scratch) = scratch.split_at_mut(dims.output_len());
        for (n, y) in y.chunks_mut(pool.output_len()).enumerate() {
            let x = &x[n * dims.input_len()..][..dims.input_len()];
            if dims.is_depthwise() || scheme.is_some() {
                let pass = Forward {
                    dims,
                    x,
                    weight,
                    prepared,
                    epilogue,
                    y: buffer,
                    scratch,
                };
                if let Some(scheme) = scheme {
                    simd.enter(Winograd(scheme, pass));
                } else {
                    simd.enter(Depthwise(pass));
                }
            } else {
                let packed = Packed {
                    dims,
                    x,
                    panels: prepared,
                    epilogue,
                };
                convolve(simd, packed, &mut Target::whole(dims, buffer));
            }
            let places = places
                .as_mut()
                .map(|places| &mut places[n * pool.places_len()..][..pool.places_len()]);
            simd.enter(MaxForward {
                dims: pool,
                x: buffer,
                y,
                places,
            });
        }
    }
}
