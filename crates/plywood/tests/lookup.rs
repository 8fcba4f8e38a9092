//! Inference that looks the products of an embedding up gives the bits of one that makes them row by row.

use plywood::prelude::*;

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
    Memory: Sequence<Token<50>> => Sequence<Logits<3>> {
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

/// The outputs for the first batch of a session, which has read too little for it to pay, and for the same batch later on.
fn compare<N>()
where
    N: Network<Scalar = f32, Input = Sequence<Token<50>>>,
{
    let network = N::seeded(Seed(3));
    let inputs = sequences(3, 12);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let mut session = Session::new(&network);
            let first = session.outputs(&inputs);
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
    compare::<Memory>();
    compare::<Tagger>();
    compare::<Both>();
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
