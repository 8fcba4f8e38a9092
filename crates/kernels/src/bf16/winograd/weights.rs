//! The transformed weights, rounded and paired along the channels summed over: `[point][strip][pair][lane]`.

use crate::bf16::level::{Body, Level};
use crate::bf16::pack::{MAX_STRIP, VECTORS, strip_width};
use crate::conv::Dims;
use crate::conv::winograd::transform::{KERNEL, Lines, Matrix};
use crate::conv::winograd::weights::{self, Square, kernels_of, turn_square};
use crate::simd::{MAX_LANES, Simd};

/// Words of the panels of one direction, enough for every level.
pub(crate) const fn panels_len(points: usize, summed: usize, channels: usize) -> usize {
    points * point_len(summed, channels)
}

/// Words from one point's panels to the next one's.
pub(super) const fn point_len(summed: usize, channels: usize) -> usize {
    weights::point_len(summed.div_ceil(2), channels.next_multiple_of(MAX_STRIP))
}

/// Panels of some sizes.
struct Panels<'a, M, const PATCH: usize> {
    summed: usize,
    channels: usize,
    words: &'a mut [u32],
    /// What turns a kernel into points.
    matrix: M,
}

impl<M: Matrix<KERNEL, PATCH>, const PATCH: usize> Panels<'_, M, PATCH> {
    /// Writes a pair of kernels' vectors: channels from `channel` on of pair `pair`.
    #[inline(always)]
    fn write<L: Level>(
        &mut self,
        level: L,
        pair: usize,
        channel: usize,
        kernels: [Lines<<L::Floats as Simd>::Vector, KERNEL>; 2],
    ) {
        let simd = level.floats();
        let (lanes, width) = (<L::Floats as Simd>::LANES, strip_width::<L>());
        let low = self.matrix.square(simd, kernels[0]);
        let high = self.matrix.square(simd, kernels[1]);
        let row = channel / width * self.summed.div_ceil(2) + pair;
        for point in 0..PATCH * PATCH {
            let at = point * point_len(self.summed, self.channels) + row * width + channel % width;
            let (r, s) = (point / PATCH, point % PATCH);
            let words = &mut self.words[at..][..lanes];
            // SAFETY: as many words as there are lanes, as just cut.
            unsafe { level.store_pairs(level.pair(low[r][s], high[r][s]), words.as_mut_ptr()) };
        }
    }
}

/// Packs the weights of the forward pass: vectors of channels out, pairs of channels in.
pub(crate) struct PackForward<'a, M, const PATCH: usize> {
    pub(crate) dims: &'a Dims,
    pub(crate) weight: &'a [f32],
    pub(crate) panels: &'a mut [u32],
    /// What turns a kernel into points.
    pub(crate) matrix: M,
}

impl<M: Matrix<KERNEL, PATCH>, const PATCH: usize> Body for PackForward<'_, M, PATCH> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let simd = level.floats();
        let [inputs, outputs] = [self.dims.input[2], self.dims.output[2]];
        let weight = self.weight;
        let mut panels = Panels {
            summed: inputs,
            channels: outputs,
            words: self.panels,
            matrix: self.matrix,
        };
        for pair in 0..inputs.div_ceil(2) {
            for v in 0..outputs.div_ceil(strip_width::<L>()) * VECTORS {
                let channel = v * <L::Floats as Simd>::LANES;
                let mut kernels = [[[simd.zero(); KERNEL]; KERNEL]; 2];
                for (ic, g) in (2 * pair..inputs).zip(&mut kernels) {
                    for tap in 0..KERNEL * KERNEL {
                        let row = &weight[(tap * inputs + ic) * outputs..][..outputs];
                        let row = row.get(channel..).unwrap_or(&[]);
                        g[tap / KERNEL][tap % KERNEL] = simd.load_partial(row);
                    }
                }
                panels.write(level, pair, channel, kernels);
            }
        }
    }
}

/// Packs the weights of the input gradient: vectors of channels in, pairs of channels out.
pub(crate) struct PackInputGradient<'a, M, const PATCH: usize> {
    pub(crate) dims: &'a Dims,
    pub(crate) weight: &'a [f32],
    pub(crate) panels: &'a mut [u32],
    /// What turns a kernel into points.
    pub(crate) matrix: M,
    /// Whether the kernel is flipped in both axes.
    pub(crate) is_flipped: bool,
}

impl<M: Matrix<KERNEL, PATCH>, const PATCH: usize> Body for PackInputGradient<'_, M, PATCH> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let [inputs, outputs] = [self.dims.input[2], self.dims.output[2]];
        let mut panels = Panels {
            summed: outputs,
            channels: inputs,
            words: self.panels,
            matrix: self.matrix,
        };
        let mut taps = [[0.0; MAX_LANES * MAX_LANES]; KERNEL * KERNEL];
        for v in 0..inputs.div_ceil(strip_width::<L>()) * VECTORS {
            for oc in (0..outputs).step_by(lanes) {
                let square = Square {
                    first: [v * lanes, oc],
                    inputs: lanes.min(inputs.saturating_sub(v * lanes)),
                    outputs: lanes.min(outputs - oc),
                };
                turn_square(simd, self.dims, self.weight, &square, &mut taps);
                for o in (0..square.outputs).step_by(2) {
                    let mut kernels = [[[simd.zero(); KERNEL]; KERNEL]; 2];
                    for (o, g) in (o..square.outputs).zip(&mut kernels) {
                        *g = kernels_of(simd, &taps, o, self.is_flipped);
                    }
                    panels.write(level, (oc + o) / 2, v * lanes, kernels);
                }
            }
        }
    }
}
