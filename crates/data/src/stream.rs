//! The streams of randomness that this crate uses, so that no two uses share one.

use plywood_kernels::random::Random;

/// The order of the samples in an epoch; the step is the epoch.
pub(crate) const SHUFFLE: u32 = 0xDA7A_0001;
/// Which samples a split takes.
pub(crate) const SPLIT: u32 = 0xDA7A_0002;
/// How an image is varied; the step is the epoch, the element the sample.
pub(crate) const AUGMENT: u32 = 0xDA7A_0003;
/// Generated images; the step is the sample.
pub(crate) const IMAGES: u32 = 0xDA7A_0004;
/// Generated texts; the step is the sample.
pub(crate) const TEXTS: u32 = 0xDA7A_0005;
/// The words of a training text; the step is the sample.
pub(crate) const TRAIN_WORDS: u32 = 0xDA7A_0006;
/// The words of a test text; the step is the sample.
pub(crate) const TEST_WORDS: u32 = 0xDA7A_0007;

/// The random words of `stream` at `step`.
pub(crate) const fn of(seed: u64, stream: u32, step: u32) -> Random {
    Random { seed, stream, step }
}
