//! The naive references against PyTorch and Keras, and the chapter's equations against the references.

mod chapter;
mod images;
mod losses;
mod rows;
mod sequences;

use plywood_testing::close::assert_close_named;
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

/// Asserts that `actual` is the case's tensor `name`, as precisely as the framework computes.
#[track_caller]
fn matches(case: &Case, name: &str, actual: &[f64]) {
    let tolerance = case.tolerance();
    let what = format!("{} {name}", case.name);
    assert_close_named(&what, actual, case.values(name), tolerance, tolerance);
}
