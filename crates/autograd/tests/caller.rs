//! Misuse of the tape panics in the file of the caller, not inside of this crate.
//!
//! The test watches the panic hook of its process, so it is alone in its file.

use plywood_autograd::ops::cross_entropy::Targets;
use plywood_autograd::{Tape, Var};
use plywood_shape::Activation;
use plywood_tensor::Tensor;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

/// File of the last panic.
static PLACE: Mutex<String> = Mutex::new(String::new());

#[test]
fn misuse_is_reported_where_it_happened() {
    set_hook(Box::new(|info| {
        let at = info.location().expect("a panic has a place");
        *PLACE.lock().unwrap() = at.file().to_owned();
    }));
    let misuses: &[for<'t> fn(Var<'t>, Var<'t>)] = &[
        |a, b| drop((a + b).value()),
        |a, b| drop((a / b).value()),
        |a, b| drop(a.maximum(b).value()),
        |a, _| drop(a.matmul(a).value()),
        |a, b| drop(a.dense(b, None, Activation::Relu).value()),
        |a, b| drop(a.mse(b).value()),
        |a, _| {
            drop(
                a.cross_entropy(Targets::Sparse(&[0, 1, 2]), Some(&[1.0]), 0.0)
                    .value(),
            )
        },
        |a, _| {
            drop(
                a.binary_cross_entropy(&Tensor::zeros([6]), None, 0.0)
                    .value(),
            )
        },
        |a, _| drop(a.sum([2]).value()),
        |a, _| drop(a.max([0, 0]).value()),
        |a, _| drop(a.reshape([5]).value()),
        |a, _| drop(a.slice(0, 3..).value()),
        |a, _| drop(a.pad(&[[0, 0]]).value()),
        |a, b| drop(Var::concat(0, &[a, b]).value()),
        |a, _| drop(a.index_select(0, &[2]).value()),
        |a, _| drop(a.pick(&[3, 0]).value()),
        |a, _| drop(a.clamp(1.0, 0.0).value()),
        |a, _| assert_eq!(a.item(), 0.0),
        |a, _| drop(a.backward()),
        |a, b| drop(a.sum_all().backward().of(b).to_vec()),
        |a, _| drop((a + Tape::new().leaf(Tensor::zeros([2, 3]))).value()),
    ];
    for (i, misuse) in misuses.iter().enumerate() {
        let tape = Tape::new();
        let (a, b) = (
            tape.leaf(Tensor::zeros([2, 3])),
            tape.leaf(Tensor::zeros([2])),
        );
        let result = catch_unwind(AssertUnwindSafe(|| misuse(a, b)));
        assert!(result.is_err(), "misuse {i} does not panic");
        assert_eq!(*PLACE.lock().unwrap(), file!(), "misuse {i}");
    }
}
