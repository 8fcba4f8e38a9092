//! The contest's networks in candle, and matrix products by the crate gemm, which candle stands on.
//!
//! Images lie channels-first, the only layout that candle has. Threads are those of `RAYON_NUM_THREADS`, set by whoever starts
//! this process.

mod networks;
mod product;
#[path = "../../worker.rs"]
mod worker;

use candle_core::{Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarMap};
use networks::{CLASSES, Network, Streamed};
use worker::{Drive, Refusal, Work};

fn main() {
    worker::serve("candle", "0.11.1", begin);
}

impl From<candle_core::Error> for Refusal {
    fn from(error: candle_core::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

fn begin(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal> {
    if work.network == "product" {
        return product::begin(work, driver);
    }
    let variables = VarMap::new();
    let mut network = Network::new(&work.network, &variables)?;
    if work.mode != "training" {
        network = Network::frozen(&work.network, &variables)?;
    }
    let source = batches(work)?;
    let mut turn = (0..source.len()).cycle();
    let mut draw = || &source[turn.next().unwrap_or(0)];
    match work.mode.as_str() {
        "training" => {
            let mut adam = AdamW::new(variables.all_vars(), adam(work.rate))?;
            driver.drive(&mut || {
                let (x, y) = draw();
                let logits = network.forward(x, true)?.reshape(((), CLASSES))?;
                let loss = candle_nn::loss::cross_entropy(&logits, y)?;
                adam.backward_step(&loss)?;
                Ok(Some(f64::from(loss.to_scalar::<f32>()?)))
            })
        }
        "inference" => driver.drive(&mut || {
            network.forward(&draw().0, false)?;
            Ok(None)
        }),
        "stream" => {
            let steps = source
                .iter()
                .flat_map(|(x, _)| (0..work.steps).map(move |t| x.narrow(1, t, 1)));
            let tokens = steps.collect::<candle_core::Result<Vec<Tensor>>>()?;
            let mut turn = tokens.iter().cycle();
            let mut stream = Streamed::new(&network)?;
            driver.drive(&mut || {
                let token = turn
                    .next()
                    .ok_or_else(|| "there are no tokens".to_owned())?;
                stream.push(token)?.to_vec2::<f32>()?;
                Ok(None)
            })
        }
        mode => Err(Refusal::Unsupported(format!("no mode {mode}"))),
    }
}

/// Adam as Keras has it; candle's decay of weights is turned off.
fn adam(lr: f64) -> ParamsAdamW {
    ParamsAdamW {
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-7,
        weight_decay: 0.0,
    }
}

/// Inputs and targets of every batch, in the order of the data; targets flat.
fn batches(work: &Work) -> Result<Vec<(Tensor, Tensor)>, Refusal> {
    let (samples, cpu) = (work.samples, &Device::Cpu);
    let inputs = match networks::image(&work.network) {
        Some([1, 1, features]) => Tensor::from_vec(
            work.pixels()?.collect::<Vec<f32>>(),
            (samples, features),
            cpu,
        )?,
        Some([height, width, channels]) => {
            let pixels = Tensor::from_vec(
                work.pixels()?.collect::<Vec<f32>>(),
                (samples, height, width, channels),
                cpu,
            )?;
            pixels.permute((0, 3, 1, 2))?.contiguous()?
        }
        None => Tensor::from_vec(work.tokens()?, (samples, work.steps), cpu)?,
    };
    let classes = work.classes()?;
    let a_sample = classes.len() / samples;
    let targets = Tensor::from_vec(classes, (samples, a_sample), cpu)?;
    let starts = (0..samples / work.batch).map(|batch| batch * work.batch);
    let cut = |start| {
        let x = inputs.narrow(0, start, work.batch)?.force_contiguous()?;
        let y = targets
            .narrow(0, start, work.batch)?
            .flatten_all()?
            .force_contiguous()?;
        Ok((x, y))
    };
    starts.map(cut).collect()
}
