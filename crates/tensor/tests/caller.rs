//! Misuse of a tensor panics in the file of the caller, not inside of this crate.
//!
//! The test watches the panic hook of its process, so it is alone in its file.

use plywood_tensor::{Batch, Tensor};
use std::panic::{catch_unwind, set_hook};
use std::sync::Mutex;

/// File of the last panic.
static PLACE: Mutex<String> = Mutex::new(String::new());

#[test]
fn misuse_is_reported_where_it_happened() {
    set_hook(Box::new(|info| {
        let at = info.location().expect("a panic has a place");
        *PLACE.lock().unwrap() = at.file().to_owned();
    }));
    let a = || Tensor::<f32>::zeros([2, 3]);
    let misuses: &[fn(Tensor)] = &[
        |a| drop(&a + Tensor::zeros([2])),
        |mut a| a += &Tensor::zeros([2]),
        |a| drop(a.matmul(&Tensor::zeros([2, 3]))),
        |a| drop(a.reshape([5])),
        |a| drop(a.into_shape([5])),
        |a| drop(a.slice(2, ..).to_vec()),
        |a| drop(a.slice(0, 1..4).to_vec()),
        |a| drop(a.select(1, 3).to_vec()),
        |a| drop(a.permute(&[0]).to_vec()),
        |a| drop(a.broadcast_to(&[3, 2]).to_vec()),
        |a| drop(a.sum([0, 0])),
        |a| drop(a.argmax(2)),
        |a| drop(Tensor::concat(0, &[a.view(), a.transpose()])),
        |a| drop(Tensor::stack(0, &[a.view(), a.transpose()])),
        |_| drop(Tensor::from_vec([2], vec![1.0_f32])),
        |a| assert_eq!(a[[0, 3]], 0.0),
        |a| assert_eq!(a.item(), 0.0),
        |mut a| a.view_mut().set(&[2, 0], 1.0),
        |_| drop(Batch::<plywood_shape::Vector<2>>::sequences(1, 2)),
        |_| drop(Batch::<plywood_shape::Vector<2>>::new(1).sample(1).to_vec()),
    ];
    for (i, misuse) in misuses.iter().enumerate() {
        assert!(
            catch_unwind(|| misuse(a())).is_err(),
            "misuse {i} does not panic"
        );
        assert_eq!(*PLACE.lock().unwrap(), file!(), "misuse {i}");
    }
}
