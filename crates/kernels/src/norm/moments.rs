//! Mean and spread of every channel, taken in one pass over memory and merged where blocks meet.
//!
//! ```text
//! for every band of rows that fits the first-level cache:
//!     mean of the band, then M2, the sum of squared deviations from it       two passes, the second in the cache
//!     merge both into what the bands before gave                             Chan, Golub and LeVeque, 1979
//! ```
//!
//! So memory is read once, and squares are taken only of deviations from a mean nearby. A band's height follows from
//! the number of channels alone.

use super::check_len;
use super::walk::{check_rows, load, store};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// Mean and M2 of every channel over the rows of x, `rows × channels`; both are overwritten. All 0 without rows.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn statistics<T: Float>(x: &[T], mean: &mut [T], m2: &mut [T]) {
    check_len("M2", m2.len(), mean.len());
    check_rows(x, mean.len());
    T::statistics(Isa::active(), Statistics { x, mean, m2 });
}

/// Bytes of a band: half of a small first-level cache.
const BAND_BYTES: usize = 16 << 10;
/// Vectors of channels summed side by side, enough to hide the latency of an addition.
const V: usize = 4;

pub(crate) struct Statistics<'a, T> {
    x: &'a [T],
    mean: &'a mut [T],
    m2: &'a mut [T],
}

impl<T: Float> Kernel<T> for Statistics<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { x, mean, m2 } = self;
        let channels = mean.len();
        mean.fill(T::ZERO);
        m2.fill(T::ZERO);
        if x.is_empty() {
            return;
        }
        let most = (BAND_BYTES / T::BYTES / channels).max(1);
        let mut seen = 0;
        for rows in x.chunks(most * channels) {
            let count = rows.len() / channels;
            let band = Band {
                rows,
                channels,
                before: T::from_usize(seen),
                count: T::from_usize(count),
            };
            for c in (0..channels).step_by(V * S::LANES) {
                let width = (channels - c).min(V * S::LANES);
                let moments = [&mut mean[c..c + width], &mut m2[c..c + width]];
                // A constant width makes its vectors full ones.
                if width == V * S::LANES {
                    band.add(simd, c, V * S::LANES, moments);
                } else {
                    band.add(simd, c, width, moments);
                }
            }
            seen += count;
        }
    }
}

/// Some rows, and how many were seen before them.
struct Band<'a, T> {
    rows: &'a [T],
    channels: usize,
    before: T,
    count: T,
}

impl<T: Float> Band<'_, T> {
    /// Merges mean and M2 of `width` channels from `c` on into those of the rows before.
    #[inline(always)]
    fn add<S: Simd<Elem = T>>(&self, simd: S, c: usize, width: usize, moments: [&mut [T]; 2]) {
        let rows = || self.rows.chunks_exact(self.channels);
        let mut own_mean = [simd.zero(); V];
        for row in rows() {
            let x: [_; V] = load(simd, row, c, width);
            for v in 0..V {
                own_mean[v] = simd.add(own_mean[v], x[v]);
            }
        }
        let share = simd.splat(T::ONE / self.count);
        for mean in &mut own_mean {
            *mean = simd.mul(*mean, share);
        }
        let mut own_m2 = [simd.zero(); V];
        for row in rows() {
            let x: [_; V] = load(simd, row, c, width);
            for v in 0..V {
                let d = simd.sub(x[v], own_mean[v]);
                own_m2[v] = simd.mul_add(d, d, own_m2[v]);
            }
        }
        let [mean, m2] = moments;
        let (mut all_mean, mut all_m2): ([_; V], [_; V]) =
            (load(simd, mean, 0, width), load(simd, m2, 0, width));
        let further = self.count / (self.before + self.count);
        let (share, weight) = (simd.splat(further), simd.splat(self.before * further));
        for v in 0..V {
            let delta = simd.sub(own_mean[v], all_mean[v]);
            all_mean[v] = simd.mul_add(delta, share, all_mean[v]);
            let between = simd.mul(simd.mul(delta, delta), weight);
            all_m2[v] = simd.add(all_m2[v], simd.add(own_m2[v], between));
        }
        store(simd, all_mean, mean, 0, width);
        store(simd, all_m2, m2, 0, width);
    }
}

/// Count, mean and M2 of every channel over some rows.
#[derive(Debug)]
pub struct Moments<T, M> {
    /// Rows.
    pub count: T,
    /// `[channels]`
    pub mean: M,
    /// `[channels]`, the sum of squared deviations from the mean.
    pub m2: M,
}

/// Adds the statistics of further rows to those of earlier ones.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn merge<T: Float>(into: &mut Moments<T, &mut [T]>, further: &Moments<T, &[T]>) {
    for len in [into.m2.len(), further.mean.len(), further.m2.len()] {
        check_len("the statistics", len, into.mean.len());
    }
    let count = into.count + further.count;
    if further.count == T::ZERO {
        return;
    }
    let share = further.count / count;
    let weight = into.count * share;
    for c in 0..into.mean.len() {
        let delta = further.mean[c] - into.mean[c];
        into.mean[c] += delta * share;
        into.m2[c] += further.m2[c] + delta * delta * weight;
    }
    into.count = count;
}
