//! The loader: orders, cuts, prefetching, and sources that break their contract.

use super::Loader;
use crate::{DataError, Dataset, Source};
use plywood_kernels::Float;
use plywood_shape::{Class, Sequence, Token, Vector};
use plywood_tensor::Examples;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::scope;

/// Sample i is the number i, of class i.
fn numbered(n: u32) -> Dataset<Vector<1>, Class<1000>> {
    let inputs: Vec<f32> = (0..n).map(|i| i as f32).collect();
    Dataset::new(inputs, (0..n).collect::<Vec<_>>()).unwrap()
}

/// The labels of every batch of the epochs, as prefetched.
fn prefetched(loader: &Loader<&Dataset<Vector<1>, Class<1000>>>, epochs: u32) -> Vec<Vec<u32>> {
    scope(|scope| {
        let mut batches = loader.prefetch::<f64>(scope, 0..epochs);
        let mut all = Vec::new();
        while let Some(loaded) = batches.next().unwrap() {
            let expected = (all.len() / loader.batches(), all.len() % loader.batches());
            assert_eq!((loaded.epoch as usize, loaded.batch), expected);
            assert_eq!(loaded.last, loaded.batch + 1 == loader.batches());
            all.push(loaded.examples.targets.data().to_vec());
        }
        assert!(batches.next().unwrap().is_none(), "it stays over");
        all
    })
}

#[test]
fn an_order_is_a_permutation_of_seed_and_epoch() {
    let data = numbered(100);
    let loader = Loader::new(&data).shuffle(7);
    let first = loader.order(0);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    assert_eq!(first, loader.clone().batch_size(3).order(0));
    assert_ne!(first, loader.order(1));
    assert_ne!(first, loader.clone().shuffle(8).order(0));
    assert_eq!(Loader::new(&data).order(5), sorted);
}

#[test]
fn the_last_batch_is_kept_unless_dropped() {
    let data = numbered(10);
    let loader = Loader::new(&data).batch_size(4);
    let expected = [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
    assert_eq!(prefetched(&loader, 1), expected);
    assert_eq!(prefetched(&loader.clone().drop_last(), 1), expected[..2]);
    assert_eq!(loader.clone().batch_size(5).batches(), 2);
    assert_eq!(loader.batch_size(11).batches(), 1);
}

#[test]
fn prefetching_yields_what_the_order_says() {
    let data = numbered(103);
    let loader = Loader::new(&data).batch_size(10).shuffle(3);
    let expected: Vec<Vec<u32>> = (0..3)
        .flat_map(|epoch| {
            loader
                .order(epoch)
                .chunks(10)
                .map(<[u32]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(prefetched(&loader, 3), expected);
}

#[test]
fn buffers_go_round() {
    let data = numbered(1000);
    let loader = Loader::new(&data).batch_size(8);
    let mut places = std::collections::BTreeSet::new();
    scope(|scope| {
        let mut batches = loader.prefetch::<f32>(scope, 0..1);
        while let Some(loaded) = batches.next().unwrap() {
            places.insert(loaded.examples.inputs.data().as_ptr());
        }
    });
    assert_eq!(places.len(), super::prefetch::BUFFERS);
}

#[test]
fn dropping_early_ends_the_thread() {
    let data = numbered(1000);
    let loader = Loader::new(&data).batch_size(1);
    scope(|scope| {
        let mut batches = loader.prefetch::<f32>(scope, 0..u32::MAX);
        assert!(batches.next().unwrap().is_some());
        // The scope would wait for ever if the thread went on.
    });
}

/// A source with one fault.
struct Faulty(Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Empty,
    Samples,
    Steps,
    Weights,
    Token,
    Target,
    Panics,
}

impl Source for Faulty {
    type Input = Sequence<Token<5>>;
    type Target = Class<2>;

    fn len(&self) -> usize {
        if self.0 == Fault::Empty { 0 } else { 6 }
    }

    fn steps(&self) -> usize {
        3
    }

    fn fill<T: Float>(
        &self,
        indices: &[u32],
        into: &mut Examples<Sequence<Token<5>>, Class<2>, T>,
    ) {
        into.resize(indices.len(), 3);
        match self.0 {
            Fault::Samples => into.resize(indices.len() + 1, 3),
            Fault::Steps => into.inputs.resize(indices.len(), 4),
            Fault::Weights => into.weights.push(T::ONE),
            Fault::Token => into.inputs.data_mut()[4] = 5,
            Fault::Target => into.targets.data_mut()[1] = 2,
            Fault::Panics if indices[0] > 0 => panic!("the disk is gone"),
            Fault::Empty | Fault::Panics => {}
        }
    }
}

fn first_error(fault: Fault) -> DataError {
    let loader = Loader::new(Faulty(fault)).batch_size(2);
    scope(|scope| {
        let mut batches = loader.prefetch::<f32>(scope, 0..1);
        let error = batches.next().unwrap_err();
        assert!(
            batches.next().unwrap().is_none(),
            "nothing comes after an error"
        );
        error
    })
}

#[test]
fn faults_of_a_source_are_named() {
    let cases = [
        (
            Fault::Empty,
            "the source has 0 samples, expected 1 to 4294967295",
        ),
        (
            Fault::Samples,
            "the source filled the inputs of samples: 3, expected 2 (batch 0 of epoch 0)",
        ),
        (
            Fault::Steps,
            "the source filled input steps: 4, expected 3 (batch 0 of epoch 0)",
        ),
        (
            Fault::Weights,
            "the source filled the weights of samples: 1, expected 2 (batch 0 of epoch 0)",
        ),
        (
            Fault::Token,
            "the source filled the inputs (batch 0 of epoch 0): \
             batch: sample 1, step 1: got index 5, expected one below 5",
        ),
        (
            Fault::Target,
            "the source filled the targets (batch 0 of epoch 0): \
             batch: sample 1, step 0: got index 2, expected one below 2",
        ),
    ];
    for (fault, message) in cases {
        assert_eq!(first_error(fault).to_string(), message);
    }
}

#[test]
fn a_panic_of_the_source_reaches_the_one_who_waits() {
    let loader = Loader::new(Faulty(Fault::Panics)).batch_size(2);
    scope(|scope| {
        let mut batches = loader.prefetch::<f32>(scope, 0..1);
        assert!(batches.next().unwrap().is_some());
        let panic = catch_unwind(AssertUnwindSafe(|| batches.next().map(|_| ()))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the disk is gone"));
        // An unread panic is no one's.
        drop(loader.prefetch::<f32>(scope, 0..1));
    });
}
