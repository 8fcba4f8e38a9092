//! Inference that looks the products of an embedding up gives the bits of one that makes them row by row.

use plywood::prelude::*;
use plywood::{Float, Flow, Layer, Memory, Pass, Plan, Shape};

/// y = x, from products of `LEN` numbers where it gets such: those say that they were looked up, by a half more.
struct Duplicate<const LEN: usize>;

impl<const LEN: usize> Duplicate<LEN> {
    const fn new() -> Self {
        Self
    }

    const fn plan(&self, input: Shape) -> Plan {
        Plan::stepwise(input, input)
    }
}

impl<T: Float, const LEN: usize> Layer<T> for Duplicate<LEN> {
    fn projected_len(&self, _: &Plan) -> Option<usize> {
        Some(LEN)
    }

    fn project(&self, plan: &Plan, _: &[T], x: &[T], projected: &mut [T]) {
        let features = plan.input.features().get();
        for (to, x) in projected
            .chunks_exact_mut(LEN)
            .zip(x.chunks_exact(features))
        {
            for (to, x) in to.iter_mut().zip(x) {
                *to = *x + T::from_f64(0.5);
            }
        }
    }

    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        let Some(lookup) = pass.lookup else {
            return y.copy_from_slice(x);
        };
        let features = pass.plan.input.features().get();
        for (y, &token) in y.chunks_exact_mut(features).zip(lookup.tokens) {
            y.copy_from_slice(&lookup.projected[token as usize * LEN..][..features]);
        }
    }

    fn backward(&self, _: &Pass<'_, T>, _: Flow<'_, T>, _: Memory<'_, T>) {}
}

plywood::model! {
    Copied: Sequence<Token<50>> => Sequence<Vector<7>> { Embedding(7), Duplicate<9>() }
}

plywood::model! {
    /// Its products would take 20 MB.
    TooLong: Sequence<Token<50>> => Sequence<Vector<7>> { Embedding(7), Duplicate<100_000>() }
}

plywood::model! {
    GruAfter: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(7), Gru(19, returns: sequence), Dense(3),
    }
}

plywood::model! {
    GruBefore: Sequence<Token<50>> => Logits<3> {
        Embedding(7), Gru(19, reset_after: false), Dense(3),
    }
}

plywood::model! {
    LongShort: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(20), Lstm(33, returns: sequence), Dense(3),
    }
}

plywood::model! {
    /// Takes no products: the second layer is no recurrent one.
    Tagger: Sequence<Token<50>> => Sequence<Logits<3>> { Embedding(7), Dense(3) }
}

plywood::model! {
    /// Takes no products: it reads from both ends.
    Both: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(7), Bidirectional { Gru(9, returns: sequence) }, Dense(3),
    }
}

plywood::model! {
    /// Takes no products: what the recurrent layer reads goes past it as well.
    Around: Sequence<Token<50>> => Sequence<Logits<3>> {
        Embedding(19), Flatten, Residual { Gru(19, returns: sequence) }, Dense(3),
    }
}

/// Sequences of different lengths, in which all tokens occur.
fn sequences(samples: usize, steps: usize) -> Batch<Sequence<Token<50>>> {
    let mut batch = Batch::default();
    batch.resize(samples, steps);
    for (place, token) in batch.data_mut().iter_mut().enumerate() {
        *token = (place * 7 % 50) as u32;
    }
    let lengths: Vec<u32> = (0..samples).map(|n| (1 + n * 5 % steps) as u32).collect();
    batch
        .set_lengths(&lengths)
        .expect("as many lengths as samples");
    batch
}

/// The outputs for the first batch of a session, which has read too little for it to pay, and for the same batch behind another one.
fn compare<N>()
where
    N: Network<Scalar = f32, Input = Sequence<Token<50>>>,
{
    let network = N::seeded(Seed(3));
    let inputs = sequences(3, 12);
    let mut others = inputs.clone();
    others.data_mut().reverse();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let first = Session::new(&network).outputs(&inputs);
            let mut session = Session::new(&network);
            // What these leave behind is not read again.
            let _ = session.outputs(&others);
            for _ in 0..3 {
                let later = session.outputs(&inputs);
                let bits = |batch: &Batch<N::Output>| -> Vec<u32> {
                    batch.data().iter().map(|value| value.to_bits()).collect()
                };
                assert_eq!(bits(&first), bits(&later), "{}, {threads} threads", N::NAME);
            }
        });
    }
}

#[test]
fn outputs_stay_the_same_to_the_bit_once_products_are_looked_up() {
    compare::<GruAfter>();
    compare::<GruBefore>();
    compare::<LongShort>();
    compare::<Tagger>();
    compare::<Both>();
    compare::<Around>();
}

/// The tokens that outputs belong to and whether they were looked up, from what [`Duplicate`] makes of them.
fn looked_up(network: &impl Network<Scalar = f32>, tokens: &[u32], outputs: &[f32]) -> bool {
    let rows = outputs.chunks_exact(7);
    let more = rows.zip(tokens).map(|(row, &token)| {
        let number = network.parameters()[token as usize * 7];
        row[0] - number
    });
    let more: Vec<f32> = more.collect();
    let is_half = |more: &f32| (more - 0.5).abs() < 1e-3;
    assert!(more.iter().all(is_half) || more.iter().all(|more| *more == 0.0));
    more.iter().all(is_half)
}

#[test]
fn a_session_looks_up_once_it_has_read_the_vocabulary_and_a_stream_from_the_start() {
    let network = Copied::seeded(Seed(3));
    let mut inputs = Batch::<Sequence<Token<50>>>::default();
    inputs.resize(1, 20);
    for (t, token) in inputs.data_mut().iter_mut().enumerate() {
        *token = (7 * t % 50) as u32;
    }
    let mut session = Session::new(&network);
    let seen: Vec<bool> = (0..4)
        .map(|_| looked_up(&network, inputs.data(), session.outputs(&inputs).data()))
        .collect();
    assert_eq!(seen, [false, false, true, true]);
    let mut stream = Stream::new(&network, 1);
    assert!(looked_up(&network, &[9], stream.push(&[9])));
}

#[test]
fn products_that_take_too_much_room_are_not_made() {
    let network = TooLong::seeded(Seed(3));
    let inputs = sequences(4, 50);
    let mut session = Session::new(&network);
    for _ in 0..2 {
        let outputs = session.outputs(&inputs);
        assert!(!looked_up(&network, inputs.data(), outputs.data()));
    }
}

#[test]
#[should_panic(expected = "token 50 in row 3, but the vocabulary has 50 tokens")]
fn a_token_beyond_the_vocabulary_is_named_whichever_way_it_is_read() {
    let network = GruAfter::seeded(Seed(3));
    let mut session = Session::new(&network);
    let mut inputs = sequences(1, 80);
    let _ = session.outputs(&inputs);
    inputs.data_mut()[3] = 50;
    let _ = session.outputs(&inputs);
}
