//! A sequence fed step by step gives the bits that it gives as a whole.

use plywood::kernels::random::Random;
use plywood::prelude::*;

plywood::model! {
    GruAfter: Sequence<Vector<5>> => Sequence<Logits<3>> {
        Gru(19, returns: sequence), Dense(3),
    }
}

plywood::model! {
    GruBefore: Sequence<Vector<5>> => Sequence<Logits<3>> {
        Gru(19, returns: sequence, reset_after: false), Dense(3),
    }
}

plywood::model! {
    Memory: Sequence<Vector<5>> => Sequence<Logits<3>> {
        Lstm(19, returns: sequence), Dense(3),
    }
}

plywood::model! {
    Simple: Sequence<Vector<5>> => Sequence<Logits<3>> {
        SimpleRnn(19, returns: sequence), Dense(3),
    }
}

plywood::model! {
    /// All of them, with normalisations in between.
    Stacked: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(8), Dropout(0.2),
        Gru(17, returns: sequence, dropout: 0.1), BatchNorm,
        Lstm(33, returns: sequence), LayerNorm,
        SimpleRnn(6, returns: sequence), Tanh,
        Gru(1, returns: sequence, reset_after: false),
        Dense(3),
    }
}

plywood::model! {
    /// Cells within blocks, which carry on side by side.
    Branched: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(8),
        Residual { Gru(8, returns: sequence) },
        Concat { { Lstm(5, returns: sequence) }, {}, { SimpleRnn(4, returns: sequence), Dense(3) } },
        Dense(3),
    }
}

plywood::model! {
    /// One output a sequence.
    Verdict: Sequence<Token<50>> => Logits<3> {
        Embedding(8),
        Lstm(16, returns: sequence),
        Gru(65),
        Dense(8), Relu, Dense(3),
    }
}

const STREAMS: usize = 3;
const STEPS: usize = 40;

/// What the network's input is made of: numbers or tokens.
trait Made {
    fn made(random: &mut plywood::kernels::random::Sequence) -> Self;
}

impl Made for f32 {
    fn made(random: &mut plywood::kernels::random::Sequence) -> Self {
        4.0 * random.uniform::<f32>() - 2.0
    }
}

impl Made for u32 {
    fn made(random: &mut plywood::kernels::random::Sequence) -> Self {
        random.below(50) as u32
    }
}

/// A network whose running state is not that of a new one, and sequences for it.
fn setting<N>() -> (N, Batch<N::Input>)
where
    N: Network<Scalar = f32>,
    plywood::nn::Element<N>: Made,
{
    let mut network = N::seeded(Seed(4));
    let draw = Random {
        seed: 2,
        stream: 1,
        step: 0,
    };
    let mut random = draw.sequence();
    for value in network.state_mut() {
        *value = 0.5 + random.uniform::<f32>();
    }
    let mut batch = Batch::sequences(STREAMS, STEPS);
    for value in batch.data_mut() {
        *value = Made::made(&mut random);
    }
    (network, batch)
}

/// Step `t` of all sequences.
fn step<N: Network<Scalar = f32>>(
    batch: &Batch<N::Input>,
    t: usize,
) -> Vec<plywood::nn::Element<N>> {
    let row = batch.data().len() / (STREAMS * STEPS);
    let of_sample = |n: usize| &batch.data()[(n * STEPS + t) * row..][..row];
    (0..STREAMS).flat_map(of_sample).copied().collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn assert_streams<N>()
where
    N: Network<Scalar = f32>,
    plywood::nn::Element<N>: Made,
{
    let (network, batch) = setting::<N>();
    let whole = Session::new(&network).outputs(&batch);
    let mut stream = Stream::new(&network, STREAMS);
    stream.push(&step::<N>(&batch, 7));
    stream.reset();
    for t in 0..STEPS {
        let outputs = stream.push(&step::<N>(&batch, t));
        for (n, output) in outputs.chunks_exact(3).enumerate() {
            let expected = &whole.data()[(n * STEPS + t) * 3..][..3];
            assert_eq!(bits(output), bits(expected), "{}, step {t} of {n}", N::NAME);
        }
    }
}

#[test]
fn every_cell_gives_step_by_step_what_it_gives_as_a_whole() {
    assert_streams::<GruAfter>();
    assert_streams::<GruBefore>();
    assert_streams::<Memory>();
    assert_streams::<Simple>();
}

#[test]
fn stacked_cells_with_normalisations_between_them_do_so_too() {
    assert_streams::<Stacked>();
    assert_streams::<Branched>();
}

#[test]
fn a_network_with_one_output_gives_what_it_would_if_the_sequence_ended_here() {
    let (network, batch) = setting::<Verdict>();
    let mut stream = Stream::new(&network, STREAMS);
    for t in 0..STEPS {
        let outputs = bits(stream.push(&step::<Verdict>(&batch, t)));
        let mut short = Batch::sequences(STREAMS, t + 1);
        for n in 0..STREAMS {
            let tokens = &batch.data()[n * STEPS..][..=t];
            short.sample_mut(n).copy_from_slice(tokens);
        }
        let expected = Session::new(&network).outputs(&short);
        assert_eq!(outputs, bits(expected.data()), "step {t}");
    }
}

#[test]
fn one_sequence_begins_anew_and_the_others_go_on() {
    let (network, batch) = setting::<Stacked>();
    let mut stream = Stream::new(&network, STREAMS);
    for t in 0..4 {
        stream.push(&step::<Stacked>(&batch, t));
    }
    stream.reset_one(1);
    let outputs = bits(stream.push(&step::<Stacked>(&batch, 4)));
    let whole = Session::new(&network).outputs(&batch);
    let mut begun = Stream::new(&network, STREAMS);
    let first = bits(begun.push(&step::<Stacked>(&batch, 4)));
    for n in [0, 2] {
        let expected = bits(&whole.data()[(n * STEPS + 4) * 3..][..3]);
        assert_eq!(outputs[3 * n..][..3], expected, "sequence {n} went on");
    }
    assert_eq!(outputs[3..6], first[3..6], "sequence 1 began anew");
    assert_ne!(outputs[..3], first[..3]);
}

#[test]
#[should_panic(expected = "GruAfter: a step of 3 sequences has 15 numbers, not 5")]
fn a_step_of_too_few_sequences_is_refused() {
    let network = GruAfter::new(Seed(1));
    Stream::new(&network, 3).push(&[0.0; 5]);
}

/// Sixteen sequences go through a session in pieces, one alone in a single piece.
#[test]
fn padded_sequences_in_pieces_give_what_each_gives_alone() {
    let (network, _) = setting::<Verdict>();
    let lengths: Vec<u32> = (0..16).map(|n| 1 + n * 11 % STEPS as u32).collect();
    let mut batch = Batch::sequences(16, STEPS);
    for (i, token) in batch.data_mut().iter_mut().enumerate() {
        *token = (i * 13 % 50) as u32;
    }
    batch.set_lengths(&lengths).expect("lengths fit");
    let together = Session::new(&network).outputs(&batch);
    for (n, &length) in lengths.iter().enumerate() {
        let mut alone = Batch::sequences(1, length as usize);
        let tokens = &batch.data()[n * STEPS..][..length as usize];
        alone.sample_mut(0).copy_from_slice(tokens);
        let expected = Session::new(&network).outputs(&alone);
        assert_eq!(
            bits(&together.data()[3 * n..][..3]),
            bits(expected.data()),
            "sample {n} of {length} steps"
        );
    }
}
