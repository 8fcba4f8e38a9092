//! How the numbers of a data set lie in memory: as compactly as they came, made into a network's numbers when drawn.

use plywood_kernels::Float;
use std::ops::Range;

/// A column of numbers of one kind.
pub trait Numbers: Sized + Send + Sync + 'static {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place and value of the first index that is not below `bound`; real numbers have none.
    fn beyond(&self, bound: usize) -> Option<(usize, u32)>;

    /// A column of the numbers of these ranges, one after the other; each range is of whole samples or steps.
    #[must_use]
    fn gather(&self, ranges: impl Iterator<Item = Range<usize>>) -> Self;
}

/// Real numbers: bytes or floats, each times a scale plus a shift as it is drawn.
///
/// Bytes (`Vec<u8>`) become numbers from 0 to 1; floats (`Vec<f32>`) stay what they are.
#[derive(Clone, Debug)]
pub struct Reals {
    values: Values,
    /// One for all numbers, or one a channel: number `i` has channel `i % affine.len()`.
    affine: Vec<Affine>,
}

#[derive(Clone, Debug)]
enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

/// `x ↦ scale · x + shift`.
#[derive(Clone, Debug)]
struct Affine {
    scale: f64,
    shift: f64,
    /// What becomes of each byte, rounded once.
    bytes: Box<[f32; 256]>,
}

impl Affine {
    fn new(scale: f64, shift: f64) -> Self {
        let bytes = std::array::from_fn(|byte| (scale * byte as f64 + shift) as f32);
        Self {
            scale,
            shift,
            bytes: Box::new(bytes),
        }
    }

    fn of(&self, x: f64) -> f64 {
        self.scale * x + self.shift
    }
}

/// Tokens or classes.
#[derive(Clone, Debug)]
pub struct Indices(Vec<u32>);

impl From<Vec<u8>> for Reals {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            values: Values::Bytes(bytes),
            affine: vec![Affine::new(1.0 / 255.0, 0.0)],
        }
    }
}

impl From<Vec<f32>> for Reals {
    fn from(floats: Vec<f32>) -> Self {
        Self {
            values: Values::Floats(floats),
            affine: vec![Affine::new(1.0, 0.0)],
        }
    }
}

impl From<Vec<u32>> for Indices {
    fn from(indices: Vec<u32>) -> Self {
        Self(indices)
    }
}

impl From<Vec<u8>> for Indices {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter().map(u32::from).collect())
    }
}

impl Reals {
    /// Subtracts each channel's `mean` from what is drawn so far and divides by its `deviation`.
    pub(crate) fn normalise(&mut self, moments: &[Moments]) {
        let channels = moments.iter().enumerate();
        let affine = channels.map(|(channel, &Moments { mean, deviation })| {
            let old = &self.affine[channel % self.affine.len()];
            Affine::new(old.scale / deviation, (old.shift - mean) / deviation)
        });
        self.affine = affine.collect();
    }

    /// Mean and deviation of each of `channels` over the ranges, as drawn.
    pub(crate) fn moments(
        &self,
        channels: usize,
        ranges: impl Iterator<Item = Range<usize>>,
    ) -> Vec<Moments> {
        let mut sums = vec![(0.0, 0.0); channels];
        let mut count = 0;
        for range in ranges {
            count += range.len();
            for i in range {
                let x = self.at(i);
                let (sum, squares) = &mut sums[i % channels];
                *sum += x;
                *squares += x * x;
            }
        }
        let count = (count / channels) as f64;
        let moments = sums.into_iter().map(|(sum, squares)| {
            let mean = sum / count;
            let variance = (squares / count - mean * mean).max(0.0);
            Moments {
                mean,
                // A channel that never changes is only shifted.
                deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 },
            }
        });
        moments.collect()
    }

    fn at(&self, i: usize) -> f64 {
        let x = match &self.values {
            Values::Bytes(bytes) => f64::from(bytes[i]),
            Values::Floats(floats) => f64::from(floats[i]),
        };
        self.affine[i % self.affine.len()].of(x)
    }

    pub(super) fn copy<T: Float>(&self, range: Range<usize>, into: &mut [T]) {
        match (&self.values, self.affine.as_slice()) {
            // Every byte of an `f32` network's grey images goes through here: a table is twice as fast as arithmetic.
            (Values::Bytes(bytes), [affine]) if T::BYTES == 4 => {
                for (number, &byte) in into.iter_mut().zip(&bytes[range]) {
                    *number = T::from_f64(f64::from(affine.bytes[usize::from(byte)]));
                }
            }
            _ => {
                for (number, i) in into.iter_mut().zip(range) {
                    *number = T::from_f64(self.at(i));
                }
            }
        }
    }

    pub(super) fn copy_numbers<T: Float>(&self, range: Range<usize>, into: &mut [T]) {
        self.copy(range, into);
    }
}

impl Indices {
    pub(super) fn copy(&self, range: Range<usize>, into: &mut [u32]) {
        into.copy_from_slice(&self.0[range]);
    }

    pub(super) fn copy_numbers<T: Float>(&self, range: Range<usize>, into: &mut [T]) {
        for (number, &index) in into.iter_mut().zip(&self.0[range]) {
            *number = T::from_f64(f64::from(index));
        }
    }
}

/// Mean and standard deviation of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, over all numbers (not the sample estimate); one where it would be zero.
    pub deviation: f64,
}

impl Numbers for Reals {
    fn len(&self) -> usize {
        match &self.values {
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len(),
        }
    }

    fn beyond(&self, _bound: usize) -> Option<(usize, u32)> {
        None
    }

    fn gather(&self, ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let values = match &self.values {
            Values::Bytes(bytes) => Values::Bytes(gathered(bytes, ranges)),
            Values::Floats(floats) => Values::Floats(gathered(floats, ranges)),
        };
        Self {
            values,
            affine: self.affine.clone(),
        }
    }
}

impl Numbers for Indices {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn beyond(&self, bound: usize) -> Option<(usize, u32)> {
        let place = self.0.iter().position(|&index| index as usize >= bound)?;
        Some((place, self.0[place]))
    }

    fn gather(&self, ranges: impl Iterator<Item = Range<usize>>) -> Self {
        Self(gathered(&self.0, ranges))
    }
}

fn gathered<N: Copy>(numbers: &[N], ranges: impl Iterator<Item = Range<usize>>) -> Vec<N> {
    let mut all = Vec::new();
    for range in ranges {
        all.extend_from_slice(&numbers[range]);
    }
    all
}
