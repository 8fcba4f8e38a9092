//! One window at a time: where it lies, and which of its places are inside of the image.

use std::ops::Range;

use super::Dims;
use crate::conv::axis::Axis;

/// A window of a sample.
pub(super) struct Place {
    axes: [Axis; 2],
    sample: usize,
    at: [usize; 2],
    /// Rows and columns of the window that are inside.
    pub(super) taps: [Range<usize>; 2],
}

impl Place {
    /// Window `index` of all: `(sample · output rows + row) · output columns + column`.
    #[inline(always)]
    pub(super) fn new(dims: &Dims, index: usize) -> Self {
        let (row, ow) = (index / dims.output[1], index % dims.output[1]);
        let (sample, oh) = (row / dims.output[0], row % dims.output[0]);
        let axes = [dims.axis(0), dims.axis(1)];
        Self {
            axes,
            sample,
            at: [oh, ow],
            taps: [axes[0].taps(oh), axes[1].taps(ow)],
        }
    }

    /// The element of x under a place of the window that is inside, in channel 0.
    #[inline(always)]
    pub(super) fn element(&self, dims: &Dims, [kh, kw]: [usize; 2]) -> usize {
        let [height, width, channels] = dims.input;
        let row = self.sample * height + self.axes[0].at(self.at[0], kh);
        (row * width + self.axes[1].at(self.at[1], kw)) * channels
    }

    /// How many places are inside.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.taps[0].len() * self.taps[1].len()
    }

    /// Whether place `k`, counted row by row, is inside.
    #[inline(always)]
    pub(super) fn contains(&self, [kh, kw]: [usize; 2]) -> bool {
        self.taps[0].contains(&kh) && self.taps[1].contains(&kw)
    }
}
