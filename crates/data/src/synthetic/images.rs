//! Bars of ten orientations in noise.

use crate::{Dataset, stream};
use plywood_kernels::random::Sequence;
use plywood_shape::{Class, Image};
use std::f64::consts::PI;

/// How many orientations there are.
const CLASSES: usize = 10;
/// Half the width of a bar, as a share of the image's smaller side.
const HALF_WIDTH: f64 = 0.1;
/// How bright the noise is at most; a bar's middle is 1.
const NOISE: f64 = 0.25;

/// Grey images of a bright bar in noise. Class `k` is the bar's angle, `k · 18°`; it passes near the middle.
///
/// Sample `i` is of class `i % 10` and follows from (seed, i) alone. `H` and `W` should be 8 or more for the classes to be
/// told apart well.
///
/// # Panics
/// If `H` or `W` is zero.
///
/// ```
/// use plywood_data::{Source, synthetic};
///
/// let (train, test) = (synthetic::images::<28, 28>(200, 1), synthetic::images::<28, 28>(50, 2));
/// assert_eq!((train.len(), test.len()), (200, 50));
/// ```
#[must_use]
pub fn images<const H: usize, const W: usize>(
    samples: usize,
    seed: u64,
) -> Dataset<Image<H, W, 1>, Class<CLASSES>> {
    let mut pixels = Vec::with_capacity(samples * H * W);
    for sample in 0..samples {
        let random = stream::of(seed, stream::IMAGES, sample as u32);
        draw(
            [H, W],
            sample % CLASSES,
            &mut random.sequence(),
            &mut pixels,
        );
    }
    let labels: Vec<u32> = (0..samples)
        .map(|sample| (sample % CLASSES) as u32)
        .collect();
    Dataset::new(pixels, labels).expect("there is one label below ten for each whole image")
}

fn draw([height, width]: [usize; 2], class: usize, random: &mut Sequence, pixels: &mut Vec<u8>) {
    let (sine, cosine) = (PI * class as f64 / CLASSES as f64).sin_cos();
    let side = height.min(width) as f64;
    let mut near = |length: usize| {
        let middle = (length as f64 - 1.0) / 2.0;
        middle + side * 0.2 * (random.uniform::<f64>() - 0.5)
    };
    let (y0, x0) = (near(height), near(width));
    for y in 0..height {
        for x in 0..width {
            let distance = ((x as f64 - x0) * sine + (y as f64 - y0) * cosine).abs();
            let bar = (1.5 - distance / (HALF_WIDTH * side)).clamp(0.0, 1.0);
            let noise = NOISE * random.uniform::<f64>();
            pixels.push((255.0 * (bar + noise).min(1.0)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::images;
    use crate::Source;
    use plywood_tensor::Examples;

    fn drawn(samples: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
        let data = images::<12, 12>(samples, seed);
        let mut examples = Examples::default();
        data.fill(&(0..samples as u32).collect::<Vec<_>>(), &mut examples);
        (
            examples.inputs.data().to_vec(),
            examples.targets.data().to_vec(),
        )
    }

    #[test]
    fn follow_from_the_seed() {
        let (images, labels) = drawn(20, 1);
        assert_eq!(drawn(20, 1).0, images);
        assert_ne!(drawn(20, 2).0, images);
        assert_eq!(drawn(10, 1).0, images[..10 * 144]);
        assert_eq!(labels[9..12], [9, 0, 1]);
    }

    /// The nearest class mean is a linear classifier; a network does better.
    #[test]
    fn can_be_learnt() {
        let (train, labels) = drawn(500, 1);
        let mut means = vec![[0.0; 144]; 10];
        for (image, &label) in train.chunks_exact(144).zip(&labels) {
            for (mean, &pixel) in means[label as usize].iter_mut().zip(image) {
                *mean += pixel / 50.0;
            }
        }
        let (test, labels) = drawn(200, 2);
        let distance =
            |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum() };
        let right = test
            .chunks_exact(144)
            .zip(&labels)
            .filter(|(image, label)| {
                let nearest = (0..10).min_by(|&a, &b| {
                    distance(&means[a], image).total_cmp(&distance(&means[b], image))
                });
                nearest == Some(**label as usize)
            });
        let right = right.count();
        assert!(right > 160, "{right} of 200");
    }
}
