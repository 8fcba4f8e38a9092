//! One axis of a sliding window: which taps of the kernel meet the input, and where.
//!
//! Tap k of output place o reads input place `o·stride + k·dilation − before`. Convolutions and pools share these rules,
//! so that no kernel has a padding check of its own: it asks for the range that lies inside and loops over that.

use std::ops::Range;

/// Sizes of one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) before: usize,
}

impl Axis {
    /// Whether the outputs' windows lie side by side within the input, with nothing between or before them.
    pub(crate) const fn is_tiled(&self) -> bool {
        let is_dense = self.kernel > 0 && (self.dilation == 1 || self.kernel == 1);
        is_dense
            && self.stride == self.kernel
            && self.before == 0
            && self.output == self.input / self.kernel
    }

    /// Taps of output place `o` that lie inside the input; `0..0` where none does.
    #[inline(always)]
    pub(crate) fn taps(&self, o: usize) -> Range<usize> {
        let at = o * self.stride;
        let start = self.before.saturating_sub(at).div_ceil(self.dilation);
        let end = (self.input + self.before)
            .saturating_sub(at)
            .div_ceil(self.dilation);
        inside(start, end.min(self.kernel))
    }

    /// Output places whose tap `k` lies inside the input; `0..0` where there is none.
    #[inline(always)]
    pub(crate) fn places(&self, k: usize) -> Range<usize> {
        let at = k * self.dilation;
        let start = self.before.saturating_sub(at).div_ceil(self.stride);
        let end = (self.input + self.before)
            .saturating_sub(at)
            .div_ceil(self.stride);
        inside(start, end.min(self.output))
    }

    /// The input place under tap `k` of output place `o`, which must lie inside.
    #[inline(always)]
    pub(crate) fn at(&self, o: usize, k: usize) -> usize {
        o * self.stride + k * self.dilation - self.before
    }

    /// Output places from `first` below `end` that have the same taps inside as `first`.
    pub(crate) fn outputs_alike(&self, first: usize, end: usize) -> Range<usize> {
        let taps = self.taps(first);
        let past = (first..end).find(|&o| self.taps(o) != taps);
        first..past.unwrap_or(end)
    }

    /// Taps from `first` on that lie inside for the same output places as `first`.
    pub(crate) fn taps_alike(&self, first: usize) -> Range<usize> {
        let places = self.places(first);
        let past = (first..self.kernel).find(|&k| self.places(k) != places);
        first..past.unwrap_or(self.kernel)
    }
}

#[inline(always)]
fn inside(start: usize, end: usize) -> Range<usize> {
    if start < end { start..end } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn ranges_agree_with_looking_at_every_place() {
        for (input, kernel, stride, dilation, before) in sizes() {
            let axis = Axis {
                input,
                output: 7,
                kernel,
                stride,
                dilation,
                before,
            };
            let is_inside = |o: usize, k: usize| {
                let at = o * stride + k * dilation;
                at >= before && at - before < input
            };
            for o in 0..7 {
                let taps: Vec<usize> = (0..kernel).filter(|&k| is_inside(o, k)).collect();
                assert_eq!(
                    axis.taps(o).collect::<Vec<_>>(),
                    taps,
                    "{axis:?}, output {o}"
                );
            }
            for k in 0..kernel {
                let places: Vec<usize> = (0..7).filter(|&o| is_inside(o, k)).collect();
                assert_eq!(
                    axis.places(k).collect::<Vec<_>>(),
                    places,
                    "{axis:?}, tap {k}"
                );
            }
        }
    }

    fn sizes() -> impl Iterator<Item = (usize, usize, usize, usize, usize)> {
        let sizes = |input| (1..5).map(move |kernel| (input, kernel));
        let strides = |(input, kernel)| (1..4).map(move |stride| (input, kernel, stride));
        (0..9)
            .flat_map(sizes)
            .flat_map(strides)
            .flat_map(|(input, kernel, stride)| {
                (1..4).flat_map(move |dilation| {
                    (0..4).map(move |before| (input, kernel, stride, dilation, before))
                })
            })
    }
}
