//! One window after the other: where it lies, and which of its places are inside of the image.

use std::ops::Range;

use super::Dims;
use crate::conv::axis::Axis;

/// The windows of all images, in the order of y.
pub(super) struct Windows<'a> {
    dims: &'a Dims,
    axes: [Axis; 2],
    /// The next window: sample, row, column.
    next: [usize; 3],
    /// Rows of the window that are inside.
    rows: Range<usize>,
}

/// A window of a sample.
pub(super) struct Place {
    /// Rows and columns of the window that are inside.
    pub(super) taps: [Range<usize>; 2],
    /// The element of x under the first of them, in channel 0.
    first: usize,
    /// Elements from one row and column of the window to the next.
    steps: [usize; 2],
}

impl<'a> Windows<'a> {
    pub(super) fn of(dims: &'a Dims) -> Self {
        let axes = [dims.axis(0), dims.axis(1)];
        Self {
            dims,
            axes,
            next: [0; 3],
            rows: inside(&axes[0], 0),
        }
    }
}

impl Iterator for Windows<'_> {
    type Item = Place;

    /// There is always a next one: the caller knows how many there are.
    #[inline(always)]
    fn next(&mut self) -> Option<Place> {
        let [height, width, channels] = self.dims.input;
        let [sample, oh, ow] = self.next;
        let taps = [self.rows.clone(), inside(&self.axes[1], ow)];
        let is_inside = !taps[0].is_empty() && !taps[1].is_empty();
        let first = if is_inside {
            let row = sample * height + self.axes[0].at(oh, taps[0].start);
            (row * width + self.axes[1].at(ow, taps[1].start)) * channels
        } else {
            0
        };
        self.next[2] += 1;
        if self.next[2] == self.dims.output[1] {
            self.next = [sample, oh + 1, 0];
            if oh + 1 == self.dims.output[0] {
                self.next = [sample + 1, 0, 0];
            }
            self.rows = inside(&self.axes[0], self.next[1]);
        }
        let [down, right] = self.dims.dilation;
        let steps = [down * width * channels, right * channels];
        Some(Place { taps, first, steps })
    }
}

/// Taps of output place `o` that lie inside. Most windows lie inside as a whole, which takes no division to see.
#[inline(always)]
fn inside(axis: &Axis, o: usize) -> Range<usize> {
    let at = o * axis.stride;
    let end = at + axis.kernel.saturating_sub(1) * axis.dilation;
    if at >= axis.before && end < axis.input + axis.before {
        0..axis.kernel
    } else {
        axis.taps(o)
    }
}

impl Place {
    /// The element of x under a place of the window that is inside, in channel 0.
    #[inline(always)]
    pub(super) fn element(&self, [kh, kw]: [usize; 2]) -> usize {
        let [rows, columns] = &self.taps;
        self.first + (kh - rows.start) * self.steps[0] + (kw - columns.start) * self.steps[1]
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
