//! Small generated data sets that networks learn quickly, for examples and tests that shall need no files.
//!
//! What is to be learnt is the same for every seed; the seed draws the samples. So one seed serves to train and another
//! to test.

mod images;
mod texts;

pub use images::images;
pub use texts::texts;
