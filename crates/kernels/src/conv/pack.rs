//! Weights as the register tile wants them: for every vector of channels a panel that is contiguous over the sum.

use super::transpose::{Rows, transpose};
use super::{Dims, Pass};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Weights and where what is derived from them goes; lengths are checked.
pub(super) struct Prepare<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) pass: Pass,
    pub(super) weight: &'a [T],
    pub(super) prepared: &'a mut [T],
}

/// Packs the weights for the direct kernels.
impl<T: Float> Kernel<T> for Prepare<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        match self.pass {
            Pass::Forward => by_outputs(simd, self.dims, self.weight, self.prepared),
            Pass::WeightGradient => {}
            Pass::InputGradient => by_inputs(simd, self.dims, self.weight, self.prepared),
        }
    }
}

/// Elements that the weights packed for a pass take.
pub(super) fn len(dims: &Dims, pass: Pass) -> usize {
    let (inputs, outputs) = (dims.inputs_per_group(), dims.outputs_per_group());
    let taps = dims.kernel[0] * dims.kernel[1];
    match pass {
        Pass::Forward => panels_len(dims.groups, outputs, dims.terms()),
        Pass::WeightGradient => 0,
        Pass::InputGradient => panels_len(dims.groups, inputs, taps * outputs),
    }
}

/// Elements that enough panels need for `vectors_of` channels in `groups` groups with sums of `terms`, on every level.
const fn panels_len(groups: usize, channels: usize, terms: usize) -> usize {
    groups * channels.next_multiple_of(MAX_LANES) * terms
}

/// Packs the weights by vectors of output channels: `[group][vector][kernel row][kernel column][channel in][lane]`.
/// Lanes past a group's channels are 0.
#[inline(always)]
fn by_outputs<S: Simd>(simd: S, dims: &Dims, weight: &[S::Elem], panels: &mut [S::Elem]) {
    let (outputs, terms) = (dims.outputs_per_group(), dims.terms());
    let vectors = outputs.div_ceil(S::LANES);
    for k in 0..terms {
        let row = &weight[k * dims.output[2]..][..dims.output[2]];
        for group in 0..dims.groups {
            let row = &row[group * outputs..][..outputs];
            for v in 0..vectors {
                let panel = (group * vectors + v) * terms + k;
                let lanes = simd.load_partial(&row[v * S::LANES..]);
                simd.store(lanes, &mut panels[panel * S::LANES..]);
            }
        }
    }
}

/// Packs the weights by vectors of input channels: `[tap][group][vector][channel out][lane]`. Lanes past a group's
/// channels are 0.
#[inline(always)]
fn by_inputs<S: Simd>(simd: S, dims: &Dims, weight: &[S::Elem], panels: &mut [S::Elem]) {
    let (inputs, outputs) = (dims.inputs_per_group(), dims.outputs_per_group());
    let taps = dims.kernel[0] * dims.kernel[1];
    let mut panels = panels.chunks_exact_mut((outputs * S::LANES).max(1));
    for tap in 0..taps {
        for group in 0..dims.groups {
            for channel in (0..inputs).step_by(S::LANES) {
                let panel = panels.next().expect("there is room for every panel");
                let present = S::LANES.min(inputs - channel);
                if present < S::LANES {
                    panel.fill(S::Elem::ZERO);
                }
                let row = (tap * inputs + channel) * dims.output[2] + group * outputs;
                let from = Rows {
                    data: &weight[row..],
                    stride: dims.output[2],
                };
                let to = Rows {
                    data: panel,
                    stride: S::LANES,
                };
                transpose(simd, [present, outputs], from, to);
            }
        }
    }
}
