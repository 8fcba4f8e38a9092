//! Every layer against PyTorch and Keras, forward and backward, in f64 and in f32.
//!
//! The values are files of `plywood-testing`, written by `cargo xtask golden`. A layer is run through its contract alone,
//! as a network runs it: rows of sequences in the order of time, memory of arbitrary content, gradients added to what is
//! there, in training and in inference.

mod harness;
mod images;
mod norms;
mod rows;
mod sequences;

use plywood_testing::{Case, Golden};

/// Runs `test` on every case of the layer in both frameworks.
fn each(layer: &str, mut test: impl FnMut(&Case)) {
    for framework in ["pytorch", "keras"] {
        let golden = Golden::open(&format!("{framework}/{layer}"));
        assert!(!golden.cases.is_empty(), "{framework}/{layer} has no cases");
        for case in &golden.cases {
            test(case);
        }
    }
}
