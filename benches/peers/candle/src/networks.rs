//! The networks, with the initialisers of Keras and Plywood, so that losses can be compared.

use candle_core::{DType, Device, IndexOp, Result, Tensor};
use candle_nn::rnn::{GRUState, LSTMState};
use candle_nn::{
    BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Dropout, Embedding, GRU, GRUConfig, Init,
    LSTM, LSTMConfig, Linear, Module, ModuleT, RNN, VarBuilder, VarMap,
};

pub const CLASSES: usize = 10;
const VOCABULARY: usize = 10_000;
const UNITS: usize = 64;

/// Rows, columns and channels of a network's images; none of networks that take tokens.
pub fn image(network: &str) -> Option<[usize; 3]> {
    match network {
        "cnn" => Some([28, 28, 1]),
        "vgg" => Some([32, 32, 3]),
        "mlp" => Some([1, 1, 784]),
        _ => None,
    }
}

pub enum Network {
    Layers(Vec<Layer>),
    Tagger(Box<Tagger>),
}

pub enum Layer {
    Conv(Conv2d),
    Norm(BatchNorm),
    Dense(Linear),
    Relu,
    /// Of windows of 2×2, over images of such a side; an odd row or column is left out.
    Pool(usize),
    Flatten,
}

pub struct Tagger {
    table: Embedding,
    drop: Dropout,
    cell: Cell,
    hidden: Linear,
    head: Linear,
}

enum Cell {
    Gru(GRU),
    Lstm(LSTM),
}

impl Network {
    /// A new network, whose numbers are `variables`.
    pub fn new(name: &str, variables: &VarMap) -> Result<Self> {
        let network = Self::build(
            name,
            VarBuilder::from_varmap(variables, DType::F32, &Device::Cpu),
        )?;
        if let Self::Tagger(tagger) = &network {
            tagger.cell.initialise(variables)?;
        }
        Ok(network)
    }

    /// A network with the numbers of `variables` that keeps no account of what is computed with them.
    pub fn frozen(name: &str, variables: &VarMap) -> Result<Self> {
        let named = variables
            .data()
            .lock()
            .expect("nothing panics with the lock held");
        let numbers = named
            .iter()
            .map(|(name, variable)| (name.clone(), variable.detach()));
        Self::build(
            name,
            VarBuilder::from_tensors(numbers.collect(), DType::F32, &Device::Cpu),
        )
    }

    fn build(name: &str, root: VarBuilder<'_>) -> Result<Self> {
        let mut build = Builder {
            root,
            layers: Vec::new(),
        };
        match name {
            "cnn" => {
                build
                    .conv(1, 32, 0)?
                    .relu()
                    .pool(26)
                    .conv(32, 64, 0)?
                    .relu()
                    .pool(11);
                build
                    .conv(64, 64, 0)?
                    .relu()
                    .flatten()
                    .dense(576, 64)?
                    .relu()
                    .dense(64, CLASSES)?;
            }
            "vgg" => {
                build
                    .block(3, 64)?
                    .block(64, 64)?
                    .pool(32)
                    .block(64, 128)?
                    .block(128, 128)?
                    .pool(16);
                build.block(128, 256)?.block(256, 256)?.pool(8).flatten();
                build.dense(4096, 256)?.relu().dense(256, CLASSES)?;
            }
            "mlp" => {
                build
                    .dense(784, 512)?
                    .relu()
                    .dense(512, 512)?
                    .relu()
                    .dense(512, CLASSES)?;
            }
            _ => {
                return Ok(Self::Tagger(Box::new(Tagger::new(
                    name == "lstm",
                    &build.root,
                )?)));
            }
        }
        Ok(Self::Layers(build.layers))
    }

    /// The logits.
    pub fn forward(&self, x: &Tensor, training: bool) -> Result<Tensor> {
        match self {
            Self::Tagger(tagger) => tagger.forward(x, training),
            Self::Layers(layers) => {
                let mut x = x.clone();
                for layer in layers {
                    x = layer.forward(&x, training)?;
                }
                Ok(x)
            }
        }
    }
}

impl Layer {
    fn forward(&self, x: &Tensor, training: bool) -> Result<Tensor> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Norm(norm) => norm.forward_t(x, training),
            Self::Dense(dense) => dense.forward(x),
            Self::Relu => x.relu(),
            Self::Pool(side) => {
                // The gradient of candle's pool is right where its windows cover the image, so they are made to.
                let even = side / 2 * 2;
                x.narrow(2, 0, even)?.narrow(3, 0, even)?.max_pool2d(2)
            }
            Self::Flatten => x.flatten_from(1),
        }
    }
}

struct Builder<'a> {
    root: VarBuilder<'a>,
    layers: Vec<Layer>,
}

impl Builder<'_> {
    fn conv(&mut self, channels: usize, out: usize, padding: usize) -> Result<&mut Self> {
        let at = self.root.pp(self.layers.len());
        let weight = at.get_with_hints(
            (out, channels, 3, 3),
            "weight",
            glorot(9 * channels, 9 * out),
        )?;
        let bias = at.get_with_hints(out, "bias", Init::Const(0.0))?;
        let config = Conv2dConfig {
            padding,
            ..Default::default()
        };
        Ok(self.push(Layer::Conv(Conv2d::new(weight, Some(bias), config))))
    }

    fn block(&mut self, channels: usize, out: usize) -> Result<&mut Self> {
        self.conv(channels, out, 1)?;
        // The epsilon and momentum of Keras and Plywood.
        let config = BatchNormConfig {
            eps: 1e-3,
            momentum: 0.01,
            ..Default::default()
        };
        let norm = candle_nn::batch_norm(out, config, self.root.pp(self.layers.len()))?;
        Ok(self.push(Layer::Norm(norm)).relu())
    }

    fn dense(&mut self, features: usize, out: usize) -> Result<&mut Self> {
        let dense = dense(features, out, &self.root.pp(self.layers.len()))?;
        Ok(self.push(Layer::Dense(dense)))
    }

    fn relu(&mut self) -> &mut Self {
        self.push(Layer::Relu)
    }

    fn pool(&mut self, side: usize) -> &mut Self {
        self.push(Layer::Pool(side))
    }

    fn flatten(&mut self) -> &mut Self {
        self.push(Layer::Flatten)
    }

    fn push(&mut self, layer: Layer) -> &mut Self {
        self.layers.push(layer);
        self
    }
}

fn dense(features: usize, out: usize, at: &VarBuilder<'_>) -> Result<Linear> {
    let weight = at.get_with_hints((out, features), "weight", glorot(features, out))?;
    let bias = at.get_with_hints(out, "bias", Init::Const(0.0))?;
    Ok(Linear::new(weight, Some(bias)))
}

fn glorot(fan_in: usize, fan_out: usize) -> Init {
    let bound = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Init::Uniform {
        lo: -bound,
        up: bound,
    }
}

impl Cell {
    /// What candle's initialisers cannot do: one orthonormal matrix a gate, and a forget gate that begins open.
    fn initialise(&self, variables: &VarMap) -> Result<()> {
        let named = variables
            .data()
            .lock()
            .expect("nothing panics with the lock held");
        let gates = match self {
            Self::Gru(_) => 3,
            Self::Lstm(_) => 4,
        };
        let recurrent: Vec<Tensor> = (0..gates)
            .map(|_| orthonormal(UNITS))
            .collect::<Result<_>>()?;
        named["cell.weight_hh_l0"].set(&Tensor::cat(&recurrent, 0)?)?;
        if let Self::Lstm(_) = self {
            let open = [0.0f32, 1.0, 0.0, 0.0].map(|bias| [bias; UNITS]).concat();
            named["cell.bias_ih_l0"].set(&Tensor::new(open, &Device::Cpu)?)?;
        }
        Ok(())
    }
}

impl Tagger {
    fn new(lstm: bool, root: &VarBuilder<'_>) -> Result<Self> {
        let even = Init::Uniform {
            lo: -0.05,
            up: 0.05,
        };
        let table = root.get_with_hints((VOCABULARY, UNITS), "table", even)?;
        let at = root.pp("cell");
        let cell = if lstm {
            let config = LSTMConfig {
                w_ih_init: glorot(UNITS, 4 * UNITS),
                ..Default::default()
            };
            Cell::Lstm(LSTM::new(UNITS, UNITS, config, at)?)
        } else {
            let config = GRUConfig {
                w_ih_init: glorot(UNITS, 3 * UNITS),
                ..Default::default()
            };
            Cell::Gru(GRU::new(UNITS, UNITS, config, at)?)
        };
        Ok(Self {
            table: Embedding::new(table, UNITS),
            drop: Dropout::new(0.1),
            cell,
            hidden: dense(UNITS, UNITS, &root.pp("hidden"))?,
            head: dense(UNITS, CLASSES, &root.pp("head"))?,
        })
    }

    fn forward(&self, tokens: &Tensor, training: bool) -> Result<Tensor> {
        let x = self.drop.forward(&self.table.forward(tokens)?, training)?;
        let hidden: Vec<Tensor> = match &self.cell {
            Cell::Gru(gru) => gru.seq(&x)?.into_iter().map(|state| state.h).collect(),
            Cell::Lstm(lstm) => lstm.seq(&x)?.into_iter().map(|state| state.h).collect(),
        };
        self.outputs(&Tensor::stack(&hidden, 1)?)
    }

    fn outputs(&self, states: &Tensor) -> Result<Tensor> {
        self.head.forward(&self.hidden.forward(states)?.relu()?)
    }
}

/// A tagger that is fed a token at a time, and the state it is in.
pub struct Streamed<'n> {
    tagger: &'n Tagger,
    state: State,
}

enum State {
    Gru(GRUState),
    Lstm(LSTMState),
}

impl<'n> Streamed<'n> {
    pub fn new(network: &'n Network) -> Result<Self> {
        let Network::Tagger(tagger) = network else {
            candle_core::bail!("only networks over tokens can be fed one at a time");
        };
        let state = match &tagger.cell {
            Cell::Gru(gru) => State::Gru(gru.zero_state(1)?),
            Cell::Lstm(lstm) => State::Lstm(lstm.zero_state(1)?),
        };
        Ok(Self { tagger, state })
    }

    /// The logits behind `token`, 1 × 1.
    pub fn push(&mut self, token: &Tensor) -> Result<Tensor> {
        let x = self.tagger.table.forward(token)?.i((.., 0, ..))?;
        let hidden = match (&self.tagger.cell, &mut self.state) {
            (Cell::Gru(gru), State::Gru(state)) => {
                *state = gru.step(&x, state)?;
                state.h.clone()
            }
            (Cell::Lstm(lstm), State::Lstm(state)) => {
                *state = lstm.step(&x, state)?;
                state.h.clone()
            }
            _ => unreachable!("the state is made for the cell"),
        };
        self.tagger.outputs(&hidden)
    }
}

/// A random matrix with orthonormal rows, by Gram and Schmidt's process.
fn orthonormal(side: usize) -> Result<Tensor> {
    let drawn = Tensor::randn(0.0f32, 1.0, (side, side), &Device::Cpu)?.to_vec2::<f32>()?;
    let mut done: Vec<Vec<f32>> = Vec::new();
    for mut row in drawn {
        for _ in 0..2 {
            for unit in &done {
                let along: f32 = row.iter().zip(unit).map(|(x, u)| x * u).sum();
                row.iter_mut().zip(unit).for_each(|(x, u)| *x -= along * u);
            }
        }
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
        done.push(row);
    }
    Tensor::new(done, &Device::Cpu)
}
