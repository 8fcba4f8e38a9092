//! Recurrent layers that read from the last step to the first, alone and as the second way of a list.

use plywood::prelude::*;

plywood::model! {
    Ahead: Sequence<Vector<3>> => Sequence<Vector<4>> { Gru(4, returns: sequence), Dense(4), Lstm(4, returns: sequence) }
}

plywood::model! {
    Back: Sequence<Vector<3>> => Sequence<Vector<4>> {
        Gru(4, returns: sequence, reverse: true), Dense(4), Lstm(4, returns: sequence, reverse: true),
    }
}

plywood::model! {
    Both: Sequence<Vector<3>> => Sequence<Vector<8>> {
        Bidirectional { read: Gru(4, returns: sequence), Dense(4), Lstm(4, returns: sequence) },
    }
}

plywood::model! {
    Summed: Sequence<Vector<3>> => Vector<4> {
        both: Bidirectional(merge: sum) { Gru(4, returns: sequence), Gru(4) },
    }
}

const STEPS: usize = 7;

/// Three sequences, the second of them shorter, and the same with their valid steps turned round.
fn sequences() -> [Batch<Sequence<Vector<3>>>; 2] {
    let lengths = [7_u32, 4, 7];
    [false, true].map(|turned| {
        let mut batch = Batch::sequences(3, STEPS);
        for (n, length) in lengths.into_iter().enumerate() {
            let steps = length as usize;
            for t in 0..steps {
                let from = if turned { steps - 1 - t } else { t };
                for i in 0..3 {
                    batch.sample_mut(n)[t * 3 + i] = ((n * 50 + from * 3 + i) as f32).sin();
                }
            }
        }
        batch.set_lengths(&lengths).expect("lengths fit");
        batch
    })
}

/// Step `t` of sample `n`.
fn step<const N: usize>(batch: &Batch<Sequence<Vector<N>>>, n: usize, t: usize) -> &[f32] {
    &batch.sample(n)[t * N..][..N]
}

#[test]
fn reading_back_is_reading_the_sequence_turned_round() {
    let [plain, turned] = sequences();
    let (ahead, mut back) = (Ahead::new(Seed(3)), Back::new(Seed(9)));
    back.parameters_mut().copy_from_slice(ahead.parameters());
    let read_back = Session::new(&back).outputs(&plain);
    let read_turned = Session::new(&ahead).outputs(&turned);
    for (n, steps) in [(0, 7), (1, 4), (2, 7)] {
        for t in 0..steps {
            assert_eq!(step(&read_back, n, t), step(&read_turned, n, steps - 1 - t));
        }
    }
    assert_ne!(
        step(&read_back, 0, 0),
        step(&Session::new(&ahead).outputs(&plain), 0, 0)
    );
}

#[test]
fn a_list_both_ways_is_two_lists() {
    let [plain, _] = sequences();
    let (mut ahead, mut back, both) = (Ahead::new(Seed(3)), Back::new(Seed(9)), Both::new(Seed(5)));
    let half = ahead.parameters().len();
    ahead
        .parameters_mut()
        .copy_from_slice(&both.parameters()[..half]);
    back.parameters_mut()
        .copy_from_slice(&both.parameters()[half..]);
    let outputs = Session::new(&both).outputs(&plain);
    let lists = [
        Session::new(&ahead).outputs(&plain),
        Session::new(&back).outputs(&plain),
    ];
    for (n, steps) in [(0, 7), (1, 4), (2, 7)] {
        for t in 0..steps {
            let joined = [step(&lists[0], n, t), step(&lists[1], n, t)].concat();
            assert_eq!(step(&outputs, n, t), joined);
        }
    }
    assert_ne!(both.read_ahead().weight(), both.read_back().weight());
}

#[test]
fn both_ways_may_be_added() {
    let names: Vec<_> = Summed::LAYERS
        .iter()
        .map(|layer| layer.name.to_string())
        .collect();
    assert_eq!(names, ["gru_0", "gru_1", "gru_2", "gru_3", "both"]);
    let outputs = Session::new(&Summed::new(Seed(1))).outputs(&sequences()[0]);
    assert_eq!(outputs.data().len(), 3 * 4);
}
