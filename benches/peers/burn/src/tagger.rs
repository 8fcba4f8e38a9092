//! The network over texts: embedding, GRU or LSTM with dropped inputs, two dense layers a step.

use crate::{CLASSES, Network, dense, glorot};
use burn::module::Module;
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, Gru, GruConfig, Initializer, Linear, Lstm,
    LstmConfig, LstmState,
};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};

const VOCABULARY: usize = 10_000;
const UNITS: usize = 64;

#[derive(Module, Debug)]
pub struct Tagger {
    table: Embedding,
    drop: Dropout,
    gru: Option<Gru>,
    lstm: Option<Lstm>,
    hidden: Linear,
    head: Linear,
}

impl Tagger {
    pub fn new(lstm: bool, device: &Device) -> Self {
        let even = Initializer::Uniform {
            min: -0.05,
            max: 0.05,
        };
        Self {
            table: EmbeddingConfig::new(VOCABULARY, UNITS)
                .with_initializer(even)
                .init(device),
            drop: DropoutConfig::new(0.1).init(),
            gru: (!lstm).then(|| gru_cell(device)),
            lstm: lstm.then(|| lstm_cell(device)),
            hidden: dense(UNITS, UNITS, device),
            head: dense(UNITS, CLASSES, device),
        }
    }

    /// The outputs for states, batch × steps × units.
    fn outputs(&self, states: Tensor<3>) -> Tensor<2> {
        self.head
            .forward(relu(self.hidden.forward(states)))
            .flatten(0, 1)
    }
}

fn gru_cell(device: &Device) -> Gru {
    let mut cell = GruConfig::new(UNITS, UNITS, true).init(device);
    for gate in [
        &mut cell.update_gate,
        &mut cell.reset_gate,
        &mut cell.new_gate,
    ] {
        gate.input_transform = input(3, 0.0, device);
        gate.hidden_transform = recurrent(device);
    }
    cell
}

fn lstm_cell(device: &Device) -> Lstm {
    let mut cell = LstmConfig::new(UNITS, UNITS, true).init(device);
    for gate in [
        &mut cell.input_gate,
        &mut cell.output_gate,
        &mut cell.cell_gate,
    ] {
        gate.input_transform = input(4, 0.0, device);
        gate.hidden_transform = recurrent(device);
    }
    if let Some(gate) = &mut cell.forget_gate {
        // It begins open.
        gate.input_transform = input(4, 1.0, device);
        gate.hidden_transform = recurrent(device);
    }
    cell
}

/// The input's part of a gate, drawn with Glorot's bound for the matrix that has all `gates` side by side.
fn input(gates: usize, bias: f64, device: &Device) -> Linear {
    let mut layer = dense(UNITS, UNITS, device);
    layer.weight = glorot(UNITS, gates * UNITS).init([UNITS, UNITS], device);
    layer.bias = Some(Initializer::Constant { value: bias }.init([UNITS], device));
    layer
}

fn recurrent(device: &Device) -> Linear {
    let mut layer = dense(UNITS, UNITS, device);
    layer.weight = Initializer::Orthogonal { gain: 1.0 }.init([UNITS, UNITS], device);
    layer
}

impl Network for Tagger {
    type Input = Tensor<2, Int>;

    fn logits(&self, tokens: Tensor<2, Int>) -> Tensor<2> {
        let x = self.drop.forward(self.table.forward(tokens));
        let states = match (&self.gru, &self.lstm) {
            (Some(gru), _) => gru.forward(x, None),
            (_, Some(lstm)) => lstm.forward(x, None).0,
            _ => unreachable!("a tagger has one of them"),
        };
        self.outputs(states)
    }
}

/// A tagger that is fed a token at a time, and the state it is in.
pub struct Streamed<'m> {
    model: &'m Tagger,
    hidden: Option<Tensor<2>>,
    both: Option<LstmState<2>>,
}

impl<'m> Streamed<'m> {
    pub fn new(model: &'m Tagger) -> Self {
        Self {
            model,
            hidden: None,
            both: None,
        }
    }

    /// The logits behind `token`, 1 × 1.
    pub fn push(&mut self, token: Tensor<2, Int>) -> Tensor<2> {
        let x = self.model.table.forward(token);
        let states = match (&self.model.gru, &self.model.lstm) {
            (Some(gru), _) => {
                let states = gru.forward(x, self.hidden.take());
                self.hidden = Some(states.clone().squeeze_dim(1));
                states
            }
            (_, Some(lstm)) => {
                let (states, state) = lstm.forward(x, self.both.take());
                self.both = Some(state);
                states
            }
            _ => unreachable!("a tagger has one of them"),
        };
        self.model.outputs(states)
    }
}
