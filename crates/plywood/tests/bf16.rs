//! The bf16 mode: it learns as `f32` does, it is off unless asked for, and networks in `f64` do not know it.

mod common;

use common::{FashionCnn, batch, images};
use plywood::prelude::*;

/// Parameters after three epochs, and what the history says of the last one.
fn trained<N>(network: &mut N, precision: Option<Precision>) -> (f64, f64)
where
    N: Network<Input = Image<28, 28, 1>, Output = Logits<10>>,
{
    let (data, test) = (images(600), images(200));
    let mut fit = Fit::new(Adam::default(), CrossEntropy)
        .on(network, &data)
        .epochs(3)
        .seed(Seed(3))
        .metric(Accuracy)
        .validate(&test)
        .quiet();
    if let Some(precision) = precision {
        fit = fit.precision(precision);
    }
    let history = fit.run().expect("the training runs");
    let last = history.epochs.last().expect("three epochs");
    let validation = last.validation.as_ref().expect("it was asked for");
    (last.training.loss, validation.loss)
}

#[test]
fn training_in_bf16_learns_what_training_in_f32_does() {
    let mut networks = [0, 1].map(|_| FashionCnn::new(Seed(11)));
    let [full, bf16] = &mut networks;
    let (full_loss, full_validation) = trained(full, Some(Precision::Full));
    let (loss, validation) = trained(bf16, Some(Precision::Bf16));
    assert_ne!(full.parameters(), bf16.parameters(), "another arithmetic");
    assert!(full_loss < 1.5, "the data can be learnt: {full_loss}");
    assert!((loss - full_loss).abs() < 0.1, "{loss} is not {full_loss}");
    assert!(
        (validation - full_validation).abs() < 0.15,
        "{validation} is not {full_validation}"
    );
}

#[test]
fn inference_in_bf16_is_near_that_in_f32() {
    let network = FashionCnn::new(Seed(5));
    let inputs = batch(&images(30), 30).inputs;
    let full = Session::new(&network).outputs(&inputs);
    let bf16 = Session::with_precision(&network, Precision::Bf16).outputs(&inputs);
    let largest = full
        .data()
        .iter()
        .fold(0.0_f32, |most, y| most.max(y.abs()));
    assert_ne!(full.data(), bf16.data());
    for (bf16, full) in bf16.data().iter().zip(full.data()) {
        assert!((bf16 - full).abs() < 0.02 * largest, "{bf16} is not {full}");
    }
}

#[test]
fn nobody_gets_bf16_without_asking() {
    let mut networks = [0, 1].map(|_| FashionCnn::new(Seed(11)));
    let [default, full] = &mut networks;
    trained(default, None);
    trained(full, Some(Precision::Full));
    assert_eq!(default.parameters(), full.parameters());
    let steps = <FashionCnn as Network>::STEPS;
    assert!(
        steps
            .iter()
            .all(|step| step.plan.precision == Precision::Full)
    );
}

#[test]
fn a_network_in_f64_keeps_its_precision() {
    let mut networks = [0, 1].map(|_| FashionCnn::<f64>::seeded(Seed(11)));
    let [full, bf16] = &mut networks;
    trained(full, Some(Precision::Full));
    trained(bf16, Some(Precision::Bf16));
    assert_eq!(full.parameters(), bf16.parameters());
}
