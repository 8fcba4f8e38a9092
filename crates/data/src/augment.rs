//! Varying images while training: flips and shifts that follow from (seed, epoch, index) alone.

use crate::{Source, stream};
use plywood_kernels::Float;
use plywood_shape::Image;
use plywood_tensor::Examples;

/// How images are varied, each epoch anew.
///
/// ```
/// use plywood_data::{Augment, Loader, synthetic};
///
/// let data = synthetic::images::<28, 28>(100, 1);
/// let varied = Augment::new(42).flip().shift(2).of(&data);
/// let loader = Loader::new(&varied).shuffle(42);
/// # assert_eq!(loader.batches(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augment {
    seed: u64,
    flip: bool,
    shift: usize,
}

impl Augment {
    /// Nothing is varied yet.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            flip: false,
            shift: 0,
        }
    }

    /// Mirrors every second image, left to right.
    #[must_use]
    pub const fn flip(mut self) -> Self {
        self.flip = true;
        self
    }

    /// Moves every image by up to `pixels` down or up and right or left; zeros come in at the edge. This is the same as
    /// padding by `pixels` and cropping at random.
    #[must_use]
    pub const fn shift(mut self, pixels: usize) -> Self {
        self.shift = pixels;
        self
    }

    /// A source that varies the images of another one in training epochs ([`Source::fill_epoch`]) alone.
    pub const fn of<S: Source>(self, source: S) -> Augmented<S> {
        Augmented {
            source,
            augment: self,
        }
    }

    /// What happens to image `index` in `epoch`: whether it is mirrored, and how far it goes down and right.
    fn choice(self, epoch: u32, index: u32) -> (bool, [isize; 2]) {
        let words = stream::of(self.seed, stream::AUGMENT, epoch).block(u64::from(index));
        let way = |word: u32| {
            let ways = 2 * self.shift as u64 + 1;
            ((u64::from(word) * ways) >> 32) as isize - self.shift as isize
        };
        (
            self.flip && words[0] >> 31 == 1,
            [way(words[1]), way(words[2])],
        )
    }
}

/// A source whose images are varied; see [`Augment::of`].
#[derive(Clone, Debug)]
pub struct Augmented<S> {
    source: S,
    augment: Augment,
}

impl<S, const H: usize, const W: usize, const C: usize> Source for Augmented<S>
where
    S: Source<Input = Image<H, W, C>>,
{
    type Input = Image<H, W, C>;
    type Target = S::Target;

    fn len(&self) -> usize {
        self.source.len()
    }

    fn steps(&self) -> usize {
        self.source.steps()
    }

    fn fill<T: Float>(&self, indices: &[u32], into: &mut Examples<Self::Input, S::Target, T>) {
        self.source.fill(indices, into);
    }

    fn fill_epoch<T: Float>(
        &self,
        epoch: u32,
        indices: &[u32],
        into: &mut Examples<Self::Input, S::Target, T>,
    ) {
        self.source.fill_epoch(epoch, indices, into);
        for (n, &index) in indices.iter().enumerate() {
            let (flip, by) = self.augment.choice(epoch, index);
            let image = into.inputs.sample_mut(n);
            if flip {
                mirror::<_, W, C>(image);
            }
            shift::<_, W, C>(image, by);
        }
    }
}

/// Mirrors every row of `W` pixels of `C` numbers.
fn mirror<T, const W: usize, const C: usize>(image: &mut [T]) {
    for row in image.chunks_exact_mut(W * C) {
        for left in 0..W / 2 {
            let right = W - 1 - left;
            for channel in 0..C {
                row.swap(left * C + channel, right * C + channel);
            }
        }
    }
}

/// Moves an image down and right in place; zeros come in.
fn shift<T: Float, const W: usize, const C: usize>(image: &mut [T], [down, right]: [isize; 2]) {
    let (row, pixels) = (W * C, image.len() / C);
    let rows = pixels / W;
    slide(
        image,
        down.clamp(-(rows as isize), rows as isize) * row as isize,
    );
    let right = right.clamp(-(W as isize), W as isize) * C as isize;
    for row in image.chunks_exact_mut(row) {
        slide(row, right);
    }
}

/// Moves all numbers `by` places on (or back, where negative); zeros come in.
fn slide<T: Float>(numbers: &mut [T], by: isize) {
    let (len, places) = (numbers.len(), by.unsigned_abs());
    if by >= 0 {
        numbers.copy_within(..len - places, places);
        numbers[..places].fill(T::ZERO);
    } else {
        numbers.copy_within(places.., 0);
        numbers[len - places..].fill(T::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::{Augment, mirror, shift};
    use crate::{Dataset, Source};
    use plywood_shape::{Class, Image};
    use plywood_tensor::Examples;

    #[test]
    fn images_move_as_said() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0_f32];
        let moved = |by| {
            let mut image = image;
            shift::<_, 3, 1>(&mut image, by);
            image
        };
        assert_eq!(moved([0, 0]), image);
        assert_eq!(moved([1, 0]), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(moved([-1, 1]), [0.0, 4.0, 5.0, 0.0, 0.0, 0.0]);
        assert_eq!(moved([0, -2]), [3.0, 0.0, 0.0, 6.0, 0.0, 0.0]);
        assert_eq!(moved([5, 0]), [0.0; 6]);
        let mut mirrored = image;
        mirror::<_, 3, 1>(&mut mirrored);
        assert_eq!(mirrored, [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        let mut coloured = image;
        mirror::<_, 3, 2>(&mut coloured);
        assert_eq!(coloured, [5.0, 6.0, 3.0, 4.0, 1.0, 2.0]);
    }

    #[test]
    fn variation_follows_from_seed_epoch_and_index_alone() {
        let pixels: Vec<u8> = (0..40 * 16).map(|i| (i % 251) as u8).collect();
        let data = Dataset::<Image<4, 4, 1>, Class<1>>::new(pixels, vec![0_u8; 40]).unwrap();
        let drawn = |augment: Augment, epoch: Option<u32>, indices: &[u32]| {
            let mut examples = Examples::default();
            let source = augment.of(&data);
            match epoch {
                Some(epoch) => source.fill_epoch(epoch, indices, &mut examples),
                None => source.fill::<f32>(indices, &mut examples),
            }
            examples.inputs.data().to_vec()
        };
        let all: Vec<u32> = (0..40).collect();
        let augment = Augment::new(1).flip().shift(1);
        let first = drawn(augment, Some(0), &all);
        assert_eq!(drawn(augment, Some(0), &[17]), first[17 * 16..18 * 16]);
        assert_ne!(drawn(augment, Some(1), &all), first);
        assert_ne!(drawn(Augment { seed: 2, ..augment }, Some(0), &all), first);
        let plain = drawn(augment, None, &all);
        assert_ne!(plain, first);
        assert_eq!(drawn(Augment::new(1), Some(0), &all), plain);
    }

    #[test]
    fn every_choice_comes_up() {
        let augment = Augment::new(3).flip().shift(1);
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..400 {
            seen.insert(augment.choice(0, index));
        }
        assert_eq!(seen.len(), 2 * 3 * 3);
    }
}
