//! Weights as the register tile wants them: for every vector of channels a panel that is contiguous over the sum.

use super::Dims;
use crate::float::Float;
use crate::simd::{MAX_LANES, Simd};

/// Elements that enough panels need for `vectors_of` channels in `groups` groups with sums of `terms`, on every level.
pub(super) const fn panels_len(groups: usize, channels: usize, terms: usize) -> usize {
    groups * channels.next_multiple_of(MAX_LANES) * terms
}

/// Packs the weights by vectors of output channels: `[group][vector][kernel row][kernel column][channel in][lane]`.
/// Lanes past a group's channels are 0.
#[inline(always)]
pub(super) fn by_outputs<S: Simd>(
    simd: S,
    dims: &Dims,
    weight: &[S::Elem],
    panels: &mut [S::Elem],
) {
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
pub(super) fn by_inputs<T: Float>(lanes: usize, dims: &Dims, weight: &[T], panels: &mut [T]) {
    let (inputs, outputs) = (dims.inputs_per_group(), dims.outputs_per_group());
    let vectors = inputs.div_ceil(lanes);
    let taps = dims.kernel[0] * dims.kernel[1];
    let mut panels = panels.chunks_exact_mut((outputs * lanes).max(1));
    for tap in 0..taps {
        for group in 0..dims.groups {
            for v in 0..vectors {
                let panel = panels.next().expect("the scratch space holds every panel");
                let present = lanes.min(inputs - v * lanes);
                for lane in 0..lanes {
                    if lane >= present {
                        panel[lane..]
                            .iter_mut()
                            .step_by(lanes)
                            .for_each(|w| *w = T::ZERO);
                        continue;
                    }
                    let row = (tap * inputs + v * lanes + lane) * dims.output[2] + group * outputs;
                    let row = &weight[row..][..outputs];
                    for (to, from) in panel[lane..].iter_mut().step_by(lanes).zip(row) {
                        *to = *from;
                    }
                }
            }
        }
    }
}
