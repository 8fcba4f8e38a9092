//! GRU and LSTM over a block of sequences, forward and backward, with all their products.

use super::clock::Clock;
use super::{Amount, Row, filled};
use plywood::kernels::AlignedVec;
use plywood::kernels::rnn::{
    Backward, Forward, Gru, Lstm, Sequence, StateGradient, WeightGradients, Weights,
};
use plywood::shape::layers::Returns;

/// Steps of the sequences.
const STEPS: usize = 100;

const BLOCK: Sequence = Sequence {
    samples: 16,
    steps: STEPS,
    features: 64,
    units: 64,
    reverse: false,
};

const GRU: Gru = Gru {
    sequence: BLOCK,
    reset_after: true,
};
const LSTM: Lstm = Lstm { sequence: BLOCK };

/// A cell: its name, what it keeps and needs, and its two passes.
struct Cell {
    name: &'static str,
    gates: usize,
    biases: usize,
    saved_len: usize,
    scratch_len: usize,
    prepared_len: usize,
    prepare: fn(&Weights<'_, f32>, &mut [f32]),
    forward: fn(Forward<'_, f32>),
    backward: fn(Backward<'_, f32>),
}

const CELLS: [Cell; 2] = [
    Cell {
        name: "GRU",
        gates: 3,
        biases: 2,
        saved_len: GRU.saved_len(),
        scratch_len: GRU.scratch_len(),
        prepared_len: GRU.prepared_len(),
        prepare: |weights, prepared| GRU.prepare(weights, prepared),
        forward: |pass| GRU.forward(pass),
        backward: |pass| GRU.backward(pass),
    },
    Cell {
        name: "LSTM",
        gates: 4,
        biases: 1,
        saved_len: LSTM.saved_len(),
        scratch_len: LSTM.scratch_len(),
        prepared_len: LSTM.prepared_len(),
        prepare: |weights, prepared| LSTM.prepare(weights, prepared),
        forward: |pass| LSTM.forward(pass),
        backward: |pass| LSTM.backward(pass),
    },
];

pub(super) fn rows(clock: Clock) -> Vec<Row> {
    CELLS.iter().flat_map(|cell| cell.rows(clock)).collect()
}

impl Cell {
    fn rows(&self, clock: Clock) -> [Row; 2] {
        let columns = self.gates * BLOCK.units;
        let small = |len: usize| {
            let mut values = filled(len);
            values.iter_mut().for_each(|value| *value *= 0.2);
            values
        };
        let x = filled(BLOCK.rows() * BLOCK.features);
        let weight = small(BLOCK.features * columns);
        let recurrent = small(BLOCK.units * columns);
        let bias = small(self.biases * columns);
        let weights = Weights {
            weight: &weight,
            recurrent: &recurrent,
            bias: &bias,
        };
        let mut prepared = AlignedVec::zeroed(self.prepared_len);
        (self.prepare)(&weights, &mut prepared);
        let mut saved = AlignedVec::zeroed(self.saved_len);
        let mut scratch = AlignedVec::zeroed(self.scratch_len);
        // A product of the inputs and one of the states; on the way back there are two gradients of each.
        let products = 2.0 * (BLOCK.rows() * columns * (BLOCK.features + BLOCK.units)) as f64;
        let name = |pass| format!("{} 16x{STEPS}x64 to 64, {pass}", self.name);
        let forward = Row::timed(clock, name("forward"), Amount::Flops(products), || {
            (self.forward)(Forward {
                x: &x,
                weights,
                prepared: &prepared,
                lengths: &[],
                saved: &mut saved,
                scratch: &mut scratch,
            });
        });
        let dstates = filled(BLOCK.rows() * BLOCK.units);
        let mut dx = AlignedVec::zeroed(x.len());
        let mut gradients = [weight.len(), recurrent.len(), bias.len()].map(AlignedVec::zeroed);
        let [dweight, drecurrent, dbias] = &mut gradients;
        let kept = saved.clone();
        let work = Amount::Flops(2.0 * products);
        let backward = Row::timed(clock, name("backward"), work, || {
            // The pass writes over what the forward pass kept: a copy of it belongs to the time.
            saved.copy_from_slice(&kept);
            (self.backward)(Backward {
                x: &x,
                weights,
                lengths: &[],
                saved: &mut saved,
                dstates: StateGradient::new(Returns::Sequence, &dstates, BLOCK.units),
                dx: Some(&mut dx),
                gradients: WeightGradients {
                    weight: dweight,
                    recurrent: drecurrent,
                    bias: dbias,
                },
                scratch: &mut scratch,
            });
        });
        [forward, backward]
    }
}
