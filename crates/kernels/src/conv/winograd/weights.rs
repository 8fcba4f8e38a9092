//! The transformed weights, packed as the register tile wants them: `[point][vector of channels][channel summed][lane]`.
//!
//! The input gradient is the convolution of dy by the kernel flipped in both axes, with the channels exchanged; the transposed
//! algorithm takes the kernel as it is.

use super::transform::{KERNEL, Lines, Matrix};
use crate::conv::Dims;
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Elements of the panels of one direction, enough for every level.
pub(super) const fn panels_len(points: usize, summed: usize, channels: usize) -> usize {
    points * point_len(summed, channels.next_multiple_of(MAX_LANES))
}

/// Elements from one point's panels to the next one's, for channels filled up to whole vectors. An odd number of cache
/// lines, so that the numbers that a kernel becomes lie in different sets of the cache.
pub(crate) const fn point_len(summed: usize, channels: usize) -> usize {
    ((summed * channels).div_ceil(MAX_LANES) | 1) * MAX_LANES
}

/// Packs the weights of the forward pass: vectors of channels out, sums over channels in.
pub(super) struct PackForward<'a, T, M, const PATCH: usize> {
    pub(super) dims: &'a Dims,
    pub(super) weight: &'a [T],
    pub(super) panels: &'a mut [T],
    /// What turns a kernel into points.
    pub(super) matrix: M,
}

impl<T: Float, M: Matrix<KERNEL, PATCH>, const PATCH: usize> Kernel<T>
    for PackForward<'_, T, M, PATCH>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            dims,
            weight,
            panels,
            matrix,
        } = self;
        let [inputs, outputs] = [dims.input[2], dims.output[2]];
        let vectors = outputs.div_ceil(S::LANES);
        let point_len = point_len(inputs, vectors * S::LANES);
        for ic in 0..inputs {
            for v in 0..vectors {
                let mut g = [[simd.zero(); KERNEL]; KERNEL];
                for tap in 0..KERNEL * KERNEL {
                    let row = &weight[(tap * inputs + ic) * outputs..][..outputs];
                    g[tap / KERNEL][tap % KERNEL] = simd.load_partial(&row[v * S::LANES..]);
                }
                let u = matrix.square(simd, g);
                for point in 0..PATCH * PATCH {
                    let at = point * point_len + (v * inputs + ic) * S::LANES;
                    simd.store(u[point / PATCH][point % PATCH], &mut panels[at..]);
                }
            }
        }
    }
}

/// Packs the weights of the input gradient: vectors of channels in, sums over channels out.
pub(super) struct PackInputGradient<'a, T, M, const PATCH: usize> {
    pub(super) dims: &'a Dims,
    pub(super) weight: &'a [T],
    pub(super) panels: &'a mut [T],
    /// What turns a kernel into points.
    pub(super) matrix: M,
    /// Whether the kernel is flipped in both axes.
    pub(super) is_flipped: bool,
}

impl<T: Float, M: Matrix<KERNEL, PATCH>, const PATCH: usize> Kernel<T>
    for PackInputGradient<'_, T, M, PATCH>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            dims,
            weight,
            panels,
            matrix,
            is_flipped,
        } = self;
        let [inputs, outputs] = [dims.input[2], dims.output[2]];
        let point_len = point_len(outputs, inputs.next_multiple_of(S::LANES));
        let mut taps = [[T::ZERO; MAX_LANES * MAX_LANES]; KERNEL * KERNEL];
        for v in 0..inputs.div_ceil(S::LANES) {
            for oc in (0..outputs).step_by(S::LANES) {
                let square = Square {
                    first: [v * S::LANES, oc],
                    inputs: S::LANES.min(inputs - v * S::LANES),
                    outputs: S::LANES.min(outputs - oc),
                };
                turn_square(simd, dims, weight, &square, &mut taps);
                for o in 0..square.outputs {
                    let g = kernels_of(simd, &taps, o, is_flipped);
                    let u = matrix.square(simd, g);
                    let at = square.first[0] * outputs + (oc + o) * S::LANES;
                    for point in 0..PATCH * PATCH {
                        let panel = &mut panels[point * point_len + at..];
                        simd.store(u[point / PATCH][point % PATCH], panel);
                    }
                }
            }
        }
    }
}

/// At most LANES channels in by as many channels out.
pub(crate) struct Square {
    /// The first channel in and out.
    pub(crate) first: [usize; 2],
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// The numbers of a square, one tap after the other, as rows of channels out.
pub(crate) type Taps<T> = [[T; MAX_LANES * MAX_LANES]; KERNEL * KERNEL];

/// Turns the rows of channels in into rows of channels out.
#[inline(always)]
pub(crate) fn turn_square<S: Simd>(
    simd: S,
    dims: &Dims,
    weight: &[S::Elem],
    square: &Square,
    taps: &mut Taps<S::Elem>,
) {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    let [ic, oc] = square.first;
    let mut rows = [S::Elem::ZERO; MAX_LANES * MAX_LANES];
    for (tap, turned) in taps.iter_mut().enumerate() {
        for lane in 0..square.inputs {
            let row = &weight[(tap * inputs + ic + lane) * outputs + oc..][..square.outputs];
            simd.store(simd.load_partial(row), &mut rows[lane * S::LANES..]);
        }
        // SAFETY: both squares are arrays of at least LANES × LANES elements.
        unsafe {
            simd.transpose_square(rows.as_ptr(), S::LANES, turned.as_mut_ptr(), S::LANES);
        }
    }
}

/// The kernels of row `o` of a square.
#[inline(always)]
pub(crate) fn kernels_of<S: Simd>(
    simd: S,
    taps: &Taps<S::Elem>,
    o: usize,
    is_flipped: bool,
) -> Lines<S::Vector, KERNEL> {
    let mut g = [[simd.zero(); KERNEL]; KERNEL];
    for (tap, turned) in taps.iter().enumerate() {
        let flipped = KERNEL * KERNEL - 1 - tap;
        let tap = if is_flipped { flipped } else { tap };
        g[tap / KERNEL][tap % KERNEL] = simd.load(&turned[o * S::LANES..]);
    }
    g
}
