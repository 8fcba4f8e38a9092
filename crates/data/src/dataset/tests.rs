//! Data sets: what goes in comes out, what does not fit is refused.

use super::Dataset;
use crate::Source;
use plywood_kernels::Float;
use plywood_shape::{Class, Image, Real, Sample, Sequence, Token, Vector};
use plywood_tensor::Examples;
use std::sync::Arc;

type Texts = Dataset<Sequence<Token<50>>, Sequence<Class<3>>>;
type Pictures = Dataset<Image<1, 2, 2>, Class<10>>;

fn drawn<T: Float, S: Source>(source: &S, indices: &[u32]) -> Examples<S::Input, S::Target, T> {
    let mut examples = Examples::default();
    source.fill(indices, &mut examples);
    examples
}

fn message<T>(result: Result<T, crate::DataError>) -> String {
    result.err().expect("it is refused").to_string()
}

#[test]
fn bytes_are_drawn_as_numbers_from_zero_to_one() {
    let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
    let data = Dataset::<Vector<256>, Class<2>>::new(bytes, vec![1_u8, 0]).unwrap();
    let small = Dataset::<Vector<1>, Class<1>>::new(vec![51_u8], vec![0_u8]).unwrap();
    let examples = drawn::<f32, _>(&data, &[1]);
    for byte in 0..256 {
        let expected = (byte as f64 / 255.0) as f32;
        assert_eq!(examples.inputs.data()[byte], expected);
    }
    assert_eq!(examples.targets.data(), [0]);
    assert_eq!(drawn::<f32, _>(&small, &[0]).inputs.data(), [0.2]);
    assert_eq!(
        drawn::<f64, _>(&small, &[0]).inputs.data(),
        [51.0 * (1.0 / 255.0)]
    );
}

#[test]
fn samples_are_drawn_in_the_order_asked_for() {
    let floats: Vec<f32> = (0..6).map(|i| i as f32).collect();
    let data = Dataset::<Vector<2>, Real<1>>::new(floats, vec![0.0, 1.0, 2.0]).unwrap();
    let examples = drawn::<f32, _>(&data, &[2, 0, 2]);
    assert_eq!(examples.inputs.data(), [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
    assert_eq!(examples.targets.data(), [2.0, 0.0, 2.0]);
    assert!(examples.weights.is_empty());
    let selected = data.select(&[2, 1]).select(&[1, 0]);
    assert_eq!(
        drawn::<f32, _>(&selected, &[0, 1]).targets.data(),
        [1.0, 2.0]
    );
}

#[test]
fn sequences_come_with_lengths_and_weights() {
    let tokens: Vec<u32> = (0..6).collect();
    let data = Texts::sequences(2, tokens, vec![0_u32, 1, 2, 0, 1, 2]).unwrap();
    let data = data.with_lengths(vec![2, 0, 1]).unwrap();
    let data = data.with_weights(vec![1.0, 2.0, 0.5]).unwrap();
    let examples = drawn::<f32, _>(&data, &[2, 0]);
    assert_eq!(examples.inputs.data(), [4, 5, 0, 1]);
    assert_eq!(examples.inputs.lengths(), [1, 2]);
    assert_eq!(examples.targets.lengths(), [1, 2]);
    assert_eq!(examples.weights, [0.5, 1.0]);
    assert_eq!((data.steps(), examples.inputs.steps()), (2, 2));
}

#[test]
fn a_sequence_may_have_one_target() {
    let data =
        Dataset::<Sequence<Token<50>>, Class<3>>::sequences(3, vec![7_u32; 6], vec![0_u32, 2])
            .unwrap();
    let examples = drawn::<f32, _>(&data, &[1]);
    assert_eq!(examples.inputs.data().len(), 3);
    assert_eq!(examples.targets.data(), [2]);
}

#[test]
fn what_does_not_fit_is_named() {
    let ragged = Pictures::new(vec![0_u8; 7], vec![0_u8]);
    assert_eq!(
        message(ragged),
        "inputs: 7 numbers do not make whole samples of 4"
    );
    let uneven = Pictures::new(vec![0_u8; 8], vec![0_u8]);
    assert_eq!(
        message(uneven),
        "targets: 1, expected 2, one for each sample"
    );
    let beyond = Texts::sequences(2, vec![0_u32, 1, 2, 50], vec![0_u8; 4]);
    assert_eq!(
        message(beyond),
        "inputs: number 1 of sample 1 is 50, expected an index below 50"
    );
    let texts = || Texts::sequences(2, vec![0_u32; 4], vec![0_u8; 4]).unwrap();
    assert_eq!(
        message(texts().with_lengths(vec![1, 3])),
        "the length of sample 1 is 3, expected at most 2"
    );
    assert_eq!(
        message(texts().with_lengths(vec![1])),
        "lengths: 1, expected 2, one for each sample"
    );
    assert_eq!(
        message(texts().with_weights(vec![1.0, f32::NAN])),
        "the weight of sample 1 is NaN, expected a finite number not below zero"
    );
}

#[test]
fn a_split_is_random_complete_and_reproducible() {
    let labels: Vec<u32> = (0..100).collect();
    let data = Dataset::<Vector<1>, Class<100>>::new(vec![0.0; 100], labels).unwrap();
    let all = |part: &Dataset<_, _>| {
        let indices: Vec<u32> = (0..part.len() as u32).collect();
        drawn::<f32, _>(part, &indices).targets.data().to_vec()
    };
    let (train, validation) = data.split(0.2, 7);
    assert_eq!((train.len(), validation.len()), (80, 20));
    let chosen = all(&validation);
    assert_ne!(
        chosen,
        (0..20).collect::<Vec<_>>(),
        "the first are no random choice"
    );
    assert_eq!(chosen, all(&data.split(0.2, 7).1));
    assert_ne!(chosen, all(&data.split(0.2, 8).1));
    let mut together = [all(&train), chosen].concat();
    together.sort_unstable();
    assert_eq!(together, (0..100).collect::<Vec<_>>());
    assert_eq!(all(&data.take(3)), [0, 1, 2]);
    assert_eq!(data.take(1000).len(), 100);
}

#[test]
fn normalised_channels_have_mean_zero_and_deviation_one() {
    let bytes = vec![0, 10, 40, 20, 80, 30, 200, 40];
    let data = Pictures::new(bytes, vec![0_u8; 2]).unwrap();
    let moments = data.moments();
    assert!((moments[0].mean - 80.0 / 255.0).abs() < 1e-12);
    let normal = data.normalise(&moments).moments();
    let again = data.normalise(&moments);
    for channel in normal {
        assert!(channel.mean.abs() < 1e-12 && (channel.deviation - 1.0).abs() < 1e-12);
    }
    let drawn = drawn::<f64, _>(&again, &[0]);
    let expected = (40.0 / 255.0 - moments[0].mean) / moments[0].deviation;
    assert!((drawn.inputs.data()[2] - expected).abs() < 1e-12);
}

#[test]
fn filling_again_keeps_the_memory() {
    let data = Texts::sequences(4, vec![1_u32; 40], vec![0_u8; 40]).unwrap();
    let data = data.with_lengths(vec![2; 10]).unwrap();
    let mut examples = drawn::<f32, _>(&data, &[0, 1, 2, 3]);
    let before = examples.inputs.data().as_ptr();
    data.fill(&[4, 5], &mut examples);
    data.fill(&[6, 7, 8, 9], &mut examples);
    assert_eq!(examples.inputs.data().as_ptr(), before);
    assert_eq!(<Sequence<Token<50>> as Sample>::ROW, 1);
}

#[test]
fn the_last_target_is_that_of_the_last_valid_step() {
    let labels = || vec![0_u32, 1, 2, 2, 0, 1, 1, 2, 0];
    let whole = Texts::sequences(3, (0..9).collect::<Vec<u32>>(), labels()).unwrap();
    let last = drawn::<f32, _>(&whole.last_targets().unwrap(), &[2, 0, 1]);
    assert_eq!(last.targets.data(), [0, 2, 1]);
    assert!(last.inputs.lengths().is_empty() && last.weights.is_empty());

    let padded = whole.with_lengths(vec![1, 3, 2]).unwrap();
    let padded = padded.with_weights(vec![1.0, 2.0, 0.5]).unwrap();
    let of_padded = padded.last_targets().unwrap();
    let (every, last) = (
        drawn::<f32, _>(&padded, &[2, 0, 1]),
        drawn::<f32, _>(&of_padded, &[2, 0, 1]),
    );
    assert_eq!(last.targets.data(), [2, 0, 1]);
    assert_eq!(last.inputs.data(), every.inputs.data());
    assert_eq!(last.inputs.lengths(), [2, 1, 3]);
    assert_eq!(last.weights, every.weights);
    assert_eq!((of_padded.len(), of_padded.steps()), (3, 3));
    assert!(Arc::ptr_eq(
        &of_padded.columns.inputs,
        &padded.columns.inputs
    ));
}

#[test]
fn last_targets_of_real_numbers_keep_whole_steps() {
    type Curves<G> = Dataset<Sequence<Vector<1>>, Sequence<G>>;
    let (inputs, lengths) = (|| vec![0.0; 4], vec![2, 1]);
    let floats =
        Curves::<Real<2>>::sequences(2, inputs(), (0..8_u8).map(f32::from).collect::<Vec<_>>());
    let floats = floats.unwrap().with_lengths(lengths.clone()).unwrap();
    let last = floats.last_targets().unwrap();
    assert_eq!(
        drawn::<f64, _>(&last, &[0, 1]).targets.data(),
        [2.0, 3.0, 4.0, 5.0]
    );
    let bytes = Curves::<Real<2>>::sequences(2, inputs(), vec![0_u8, 0, 255, 51, 51, 255, 0, 0]);
    let bytes = bytes.unwrap().with_lengths(lengths).unwrap();
    let last = bytes.last_targets().unwrap();
    assert_eq!(
        drawn::<f32, _>(&last, &[1, 0]).targets.data(),
        [0.2, 1.0, 1.0, 0.2]
    );
}

#[test]
fn last_targets_and_selections_may_come_in_any_order() {
    let labels: Vec<u32> = (0..40).map(|step| step % 3).collect();
    let data = Texts::sequences(2, vec![1_u32; 40], labels).unwrap();
    let lengths = (0..20).map(|sample| 1 + sample % 2).collect();
    let data = data.with_lengths(lengths).unwrap();
    let all = |part: &Dataset<Sequence<Token<50>>, Class<3>>| {
        let indices: Vec<u32> = (0..part.len() as u32).collect();
        drawn::<f32, _>(part, &indices).targets.data().to_vec()
    };
    let last = data.last_targets().unwrap();
    let expected = |sample: u32| (2 * sample + sample % 2) % 3;
    assert_eq!(all(&last), (0..20).map(expected).collect::<Vec<_>>());
    let chosen = data.select(&[7, 2]).last_targets().unwrap();
    assert_eq!(all(&chosen), [expected(7), expected(2)]);
    let (train, validation) = data.split(0.3, 5);
    let (train_last, validation_last) = last.split(0.3, 5);
    assert_eq!(all(&train.last_targets().unwrap()), all(&train_last));
    assert_eq!(
        all(&validation.last_targets().unwrap()),
        all(&validation_last)
    );
}

#[test]
fn a_sequence_without_steps_has_no_last_target() {
    let data = Texts::sequences(2, vec![0_u32; 6], vec![0_u8, 0, 1, 1, 2, 2]).unwrap();
    let data = data.with_lengths(vec![2, 0, 1]).unwrap();
    let refused = "is 0, expected at least 1: it has no last step";
    let text = message(data.last_targets());
    assert_eq!(text, format!("the length of sample 1 {refused}"));
    // The number is that in the selection, and what is not selected does no harm.
    let text = message(data.select(&[1, 2]).last_targets());
    assert_eq!(text, format!("the length of sample 0 {refused}"));
    let others = data.select(&[2, 0]).last_targets().unwrap();
    assert_eq!(drawn::<f32, _>(&others, &[0, 1]).targets.data(), [2, 0]);
}
