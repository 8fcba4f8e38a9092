//! The contest's networks in burn, on its backend Flex, the fastest it has for CPUs.
//!
//! Threads are those of `RAYON_NUM_THREADS`, set by whoever starts this process.
#![recursion_limit = "256"]
#![forbid(unsafe_code)]

mod layers;
mod tagger;
#[path = "../../worker.rs"]
#[allow(dead_code)] // burn is no contestant in matrix products.
mod worker;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use layers::Layers;
use tagger::{Streamed, Tagger};
use worker::{Drive, Refusal, Work};

const CLASSES: usize = 10;

fn main() {
    worker::serve("burn", "0.22.1", begin);
}

/// What a network is here: something with logits, N × classes; of sequences, a row a step.
trait Network: Module {
    type Input: Clone;

    fn logits(&self, x: Self::Input) -> Tensor<2>;
}

fn begin(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal> {
    let device = match work.mode.as_str() {
        "training" => Device::flex().autodiff(),
        _ => Device::flex(),
    };
    let network = work.network.as_str();
    match network {
        "cnn" | "vgg" | "mlp" => run(
            work,
            Layers::new(network, &device),
            &images(work, &device)?,
            &device,
            driver,
        ),
        "gru" | "lstm" => {
            let model = Tagger::new(network == "lstm", &device);
            let source = texts(work, &device)?;
            match work.mode.as_str() {
                "stream" => stream(work, &model, &source, driver),
                _ => run(work, model, &source, &device, driver),
            }
        }
        _ => Err(Refusal::Unsupported(format!(
            "burn is no contestant in {network}"
        ))),
    }
}

type Batches<I> = [(I, Tensor<1, Int>)];

fn run<N: Network>(
    work: &Work,
    model: N,
    source: &Batches<N::Input>,
    device: &Device,
    driver: &mut dyn Drive,
) -> Result<(), Refusal> {
    let mut turn = source.iter().cycle();
    let mut draw = || {
        turn.next()
            .cloned()
            .ok_or_else(|| Refusal::Fault("there are no batches".to_owned()))
    };
    if work.mode == "inference" {
        return driver.drive(&mut || {
            model.logits(draw()?.0).into_data();
            Ok(None)
        });
    }
    let criterion = CrossEntropyLossConfig::new().init(device);
    let mut adam = AdamConfig::new().with_epsilon(1e-7).init();
    let mut model = Some(model);
    driver.drive(&mut || {
        let (x, y) = draw()?;
        let network = model.take().expect("every step puts it back");
        let loss = criterion.forward(network.logits(x), y);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        model = Some(adam.step(work.rate, network, gradients));
        Ok(Some(f64::from(loss.into_scalar::<f32>())))
    })
}

fn stream(
    work: &Work,
    model: &Tagger,
    source: &Batches<Tensor<2, Int>>,
    driver: &mut dyn Drive,
) -> Result<(), Refusal> {
    let steps = source
        .iter()
        .flat_map(|(x, _)| (0..work.steps).map(|t| x.clone().narrow(1, t, 1)));
    let tokens: Vec<_> = steps.collect();
    let mut turn = tokens.iter().cycle();
    let mut streamed = Streamed::new(model);
    driver.drive(&mut || {
        let token = turn
            .next()
            .ok_or_else(|| Refusal::Fault("there are no tokens".to_owned()))?;
        streamed.push(token.clone()).into_data();
        Ok(None)
    })
}

/// Batches of images, channels-first, and their classes.
fn images(work: &Work, device: &Device) -> Result<Vec<(Tensor<4>, Tensor<1, Int>)>, Refusal> {
    let [height, width, channels] = layers::image(&work.network);
    let mut pixels = work.pixels()?;
    let a_batch = work.batch * height * width * channels;
    let cut = |classes| {
        let batch: Vec<f32> = pixels.by_ref().take(a_batch).collect();
        let data = TensorData::new(batch, [work.batch, height, width, channels]);
        // The copy lays the numbers down in their new order once and for all.
        let x = Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2]);
        (Tensor::<4>::from_data(x.into_data(), device), classes)
    };
    Ok(classes(work, device)?.into_iter().map(cut).collect())
}

/// Batches of texts, samples × steps, and the classes of their steps.
fn texts(work: &Work, device: &Device) -> Result<Vec<(Tensor<2, Int>, Tensor<1, Int>)>, Refusal> {
    let tokens = work.tokens()?;
    let cut = |batch: &[u32]| {
        let batch: Vec<i64> = batch.iter().map(|&token| i64::from(token)).collect();
        Tensor::<2, Int>::from_data(TensorData::new(batch, [work.batch, work.steps]), device)
    };
    let x = tokens.chunks_exact(work.batch * work.steps).map(cut);
    Ok(x.zip(classes(work, device)?).collect())
}

fn classes(work: &Work, device: &Device) -> Result<Vec<Tensor<1, Int>>, Refusal> {
    let classes: Vec<i64> = work.classes()?.into_iter().map(i64::from).collect();
    let a_batch = classes.len() / work.samples * work.batch;
    let cut = |batch: &[i64]| Tensor::from_data(TensorData::new(batch.to_vec(), [a_batch]), device);
    Ok(classes.chunks_exact(a_batch).map(cut).collect())
}

/// Numbers as Glorot draws them.
fn glorot(fan_in: usize, fan_out: usize) -> Initializer {
    let max = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Initializer::Uniform { min: -max, max }
}

/// A dense layer with the initialisers of Keras and Plywood.
fn dense(features: usize, out: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(features, out).init(device);
    layer.weight = glorot(features, out).init([features, out], device);
    layer.bias = Some(Initializer::Zeros.init([out], device));
    layer
}
