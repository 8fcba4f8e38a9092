//! Frozen layers and networks, in the midst of what is trained and around it: the same as the same layers in one list, to the bit.

mod common;

use common::{batch, bits, images, texts, trained};
use plywood::prelude::*;

/// A network of parts, and the same layers in one list.
macro_rules! pair {
    ($parts:ident, $flat:ident: $input:ty => $output:ty; { $($part:tt)* } { $($layer:tt)* }) => {
        plywood::model! { $parts: $input => $output { $($part)* } }
        plywood::model! { $flat: $input => $output { $($layer)* } }
    };
}

type Text = Sequence<Token<10_000>>;

plywood::model! {
    /// Trained, but for its first layer.
    Half: Image<28, 28, 1> => Vector<12> { frozen Conv2d(4, stride: 2), Relu, Conv2d(6), BatchNorm, Tanh, GlobalAvgPool2d, Dense(12) }
}

pair! { HalfFrozen, HalfFrozenFlat: Image<28, 28, 1> => Logits<10>;
    { Half, Dense(10) }
    {
        frozen Conv2d(4, stride: 2), Relu, Conv2d(6), BatchNorm, Tanh, GlobalAvgPool2d, Dense(12),
        Dense(10),
    }
}

plywood::model! { Inner: Vector<8> => Vector<8> { Dense(8), BatchNorm, Tanh, Dense(8) } }
plywood::model! { Middle: Vector<12> => Vector<6> { Dense(8), inner: Inner, Dense(6), Tanh, Dropout(0.5) } }

pair! { Deep, DeepFlat: Image<28, 28, 1> => Logits<10>;
    { Flatten, Dense(12), Tanh, frozen middle: Middle, Dense(10) }
    {
        Flatten, Dense(12), Tanh,
        frozen Dense(8), frozen Dense(8), frozen BatchNorm, Tanh, frozen Dense(8), frozen Dense(6), Tanh, frozen Dropout(0.5),
        Dense(10),
    }
}

plywood::model! { Reader: Sequence<Token<10_000>> => Sequence<Vector<8>> { Embedding(8), Gru(8, returns: sequence, dropout: 0.1) } }
plywood::model! {
    Normed: Vector<8> => Vector<6> { Dense(12), BatchNorm, Tanh, Residual { Dense(12), Dropout(0.2) }, Dense(6), Dropout(0.1) }
}

pair! { FrozenReader, FrozenReaderFlat: Sequence<Token<10_000>> => Sequence<Logits<10>>;
    { frozen reader: Reader, TimeDistributed { Normed }, Dense(10) }
    {
        frozen Embedding(8), frozen Gru(8, returns: sequence, dropout: 0.1),
        Dense(12), BatchNorm, Tanh, Residual { Dense(12), Dropout(0.2) }, Dense(6), Dropout(0.1),
        Dense(10),
    }
}

plywood::model! { Lexicon: Sequence<Token<10_000>> => Sequence<Vector<8>> { frozen Embedding(8), Gru(8, returns: sequence, dropout: 0.1), BatchNorm } }

pair! { FrozenTable, FrozenTableFlat: Sequence<Token<10_000>> => Sequence<Logits<10>>;
    { Lexicon, Dense(10) }
    { frozen Embedding(8), Gru(8, returns: sequence, dropout: 0.1), BatchNorm, Dense(10) }
}

plywood::model! { Word: Token<10_000> => Vector<6> { Embedding(8), Dense(6) } }

pair! { Words, WordsFlat: Sequence<Token<10_000>> => Sequence<Logits<10>>;
    { TimeDistributed { Word }, Gru(7, returns: sequence), Dense(10) }
    { Embedding(8), Dense(6), Gru(7, returns: sequence), Dense(10) }
}

const PRECISIONS: [Precision; 2] = [Precision::Full, Precision::Bf16];

#[test]
fn frozen_layers_in_parts_and_parts_that_hold_networks() {
    let examples = batch(&images(90), 90);
    for precision in PRECISIONS {
        let flat = trained::<HalfFrozenFlat, _>(2, precision, &examples);
        assert_eq!(trained::<HalfFrozen, _>(2, precision, &examples), flat);
        let flat = trained::<DeepFlat, _>(2, precision, &examples);
        assert_eq!(trained::<Deep, _>(2, precision, &examples), flat);
    }
}

/// Texts of which some are shorter than others.
fn padded(samples: usize) -> Examples<Text, Sequence<Class<10>>> {
    let mut examples = batch(&texts(samples), samples);
    let steps = examples.inputs.steps() as u32;
    let lengths: Vec<u32> = (0..samples as u32).map(|n| steps - n % 5).collect();
    examples.inputs.set_lengths(&lengths).expect("lengths fit");
    examples.targets.set_lengths(&lengths).expect("lengths fit");
    examples
}

#[test]
fn frozen_tables_and_parts_of_tokens() {
    let examples = padded(700);
    for precision in PRECISIONS {
        let flat = trained::<FrozenReaderFlat, _>(2, precision, &examples);
        assert_eq!(trained::<FrozenReader, _>(2, precision, &examples), flat);
        let flat = trained::<FrozenTableFlat, _>(2, precision, &examples);
        assert_eq!(trained::<FrozenTable, _>(2, precision, &examples), flat);
        let flat = trained::<WordsFlat, _>(2, precision, &examples);
        assert_eq!(trained::<Words, _>(2, precision, &examples), flat);
    }
}

#[test]
fn what_is_frozen_stays() {
    let (before, after) = (
        FrozenReader::new(Seed(5)),
        trained::<FrozenReader, _>(1, Precision::Full, &padded(40)).1,
    );
    let frozen = Reader::LAYERS
        .iter()
        .map(|layer| layer.plan.parameter_count())
        .sum::<usize>();
    assert_eq!(bits(&before.parameters()[..frozen]), after[..frozen]);
    assert_ne!(
        bits(before.parameters())[frozen..],
        after[frozen..before.parameters().len()]
    );
}

#[test]
fn parts_go_step_by_step_through_a_stream() {
    let network = FrozenReader::new(Seed(3));
    let batch = batch(&texts(3), 3).inputs;
    let whole = Session::new(&network).outputs(&batch);
    let mut stream = Stream::new(&network, 3);
    for t in 0..batch.steps() {
        let step: Vec<u32> = (0..3).map(|n| batch.sample(n)[t]).collect();
        let outputs = stream.push(&step);
        for n in 0..3 {
            assert_eq!(
                bits(&outputs[n * 10..][..10]),
                bits(&whole.sample(n)[t * 10..][..10])
            );
        }
    }
}
