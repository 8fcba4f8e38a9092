//! Data sets of several inputs or targets: every column keeps its numbers, and what does not fit is named with its side.

use crate::{DataError, Dataset, Source};
use plywood_kernels::Float;
use plywood_shape::{Class, Image, Logits, Probabilities, Real, Sequence, Token, Vector};
use plywood_tensor::Examples;

type Boxes = Dataset<Vector<1>, (Class<10>, Real<2>)>;

fn drawn<T: Float, S: Source>(source: &S, indices: &[u32]) -> Examples<S::Input, S::Target, T> {
    let mut examples = Examples::default();
    source.fill(indices, &mut examples);
    examples
}

fn message<T>(result: Result<T, DataError>) -> String {
    result.err().expect("it is refused").to_string()
}

fn boxes(labels: Vec<u8>, corners: usize) -> Result<Boxes, DataError> {
    let corners: Vec<f32> = (0..corners).map(|i| i as f32 / 2.0).collect();
    Boxes::new(vec![0.0; 3], (labels, corners))
}

#[test]
fn rows_are_drawn_of_every_column() {
    let data = boxes(vec![7, 0, 9], 6).unwrap();
    let targets = drawn::<f32, _>(&data, &[2, 0]).targets;
    assert_eq!(targets.data(), [9.0, 2.0, 2.5, 7.0, 0.0, 0.5]);
    let targets = drawn::<f64, _>(&data.select(&[1]), &[0]).targets;
    assert_eq!(targets.data(), [0.0, 1.0, 1.5]);
}

#[test]
fn each_column_is_made_of_what_it_would_be_alone() {
    type Four = (Image<1, 2, 1>, Vector<1>, Class<300>, Probabilities<2>);
    let columns = (
        vec![0_u8, 51, 255, 0],
        vec![-1.5_f32, 4.0],
        vec![299_u32, 1],
        vec![51_u8, 255, 0, 51],
    );
    let data = Dataset::<Four, Class<2>>::new(columns, vec![1_u8, 0]).unwrap();
    let inputs = drawn::<f32, _>(&data, &[0, 1]).inputs;
    assert_eq!(inputs.sample(0), [0.0, 0.2, -1.5, 299.0, 0.2, 1.0]);
    assert_eq!(inputs.sample(1), [1.0, 0.0, 4.0, 1.0, 0.0, 0.2]);
    assert_eq!(inputs.side::<1>().data(), [-1.5, 4.0]);
}

#[test]
fn steps_of_sequences_have_every_side() {
    type Three = (Class<3>, Real<1>, Logits<2>);
    let columns = (
        vec![0_u8, 1, 2, 0, 1, 2],
        (0..6_u8).map(f32::from).collect::<Vec<_>>(),
        (10..22_u8).map(f32::from).collect::<Vec<_>>(),
    );
    let tokens: Vec<u32> = (0..6).collect();
    let data = Dataset::<Sequence<Token<6>>, Sequence<Three>>::sequences(3, tokens, columns);
    let data = data.unwrap().with_lengths(vec![3, 2]).unwrap();
    assert_eq!((data.len(), data.steps()), (2, 3));
    let targets = drawn::<f32, _>(&data, &[1]).targets;
    let steps = [
        [0.0, 3.0, 16.0, 17.0],
        [1.0, 4.0, 18.0, 19.0],
        [2.0, 5.0, 20.0, 21.0],
    ];
    assert_eq!(targets.data(), steps.concat());
    assert_eq!(targets.lengths(), [2]);

    let last: Dataset<_, Three> = data.last_targets().unwrap();
    let targets = drawn::<f32, _>(&last, &[1, 0]).targets;
    assert_eq!(targets.data(), [1.0, 4.0, 18.0, 19.0, 2.0, 2.0, 14.0, 15.0]);
}

#[test]
fn a_sequence_may_have_several_targets() {
    type Texts = Dataset<Sequence<Token<5>>, (Class<2>, Real<1>)>;
    let data = Texts::sequences(2, vec![1_u8; 4], (vec![0_u8, 1], vec![0.5_f32, 2.0])).unwrap();
    assert_eq!(drawn::<f32, _>(&data, &[1]).targets.data(), [1.0, 2.0]);
    let steps = Texts::sequences(2, vec![1_u8; 4], (vec![0_u8; 4], vec![0.5_f32; 4]));
    assert_eq!(
        message(steps),
        "targets: 4, expected 2, one for each sample"
    );
}

#[test]
fn what_does_not_fit_is_named_with_its_side() {
    assert_eq!(
        message(boxes(vec![0, 10, 0], 6)),
        "targets, side 0: number 0 of sample 1 is 10, expected an index below 10"
    );
    assert_eq!(
        message(boxes(vec![0; 3], 5)),
        "targets, side 1: 5 numbers do not make whole samples of 2"
    );
    assert_eq!(
        message(boxes(vec![0; 3], 4)),
        "targets, side 1: 2, expected 3, one for each sample"
    );
    assert_eq!(
        message(boxes(vec![0; 2], 4)),
        "targets: 2, expected 3, one for each sample"
    );
    let steps = Dataset::<Sequence<(Vector<1>, Class<4>)>, Class<1>>::sequences(
        2,
        (vec![0.0_f32; 4], vec![0_u8, 1, 2, 4]),
        vec![0_u8; 2],
    );
    assert_eq!(
        message(steps),
        "inputs, side 1: number 1 of sample 1 is 4, expected an index below 4"
    );
}
