//! An encoder and a decoder learn together to pass images through 32 numbers, and draw some; then the encoder, frozen, tells classes
//! apart by these numbers alone.
//!
//! ```text
//! cargo run --release --example autoencoder
//! ```

use clap::Parser;
use plywood::prelude::*;
use std::path::PathBuf;

plywood::model! {
    pub Encoder: Image<28, 28, 1> => Vector<32> {
        Conv2d(16, stride: 2, padding: same), Relu,
        Conv2d(32, stride: 2, padding: same), Relu,
        Flatten,
        code: Dense(32),
    }
}

plywood::model! {
    pub Decoder: Vector<32> => Image<28, 28, 1> {
        Dense(1568), Relu,
        Reshape(7, 7, 32),
        ConvTranspose2d(16, stride: 2, padding: same), Relu,
        ConvTranspose2d(1, stride: 2, padding: same), Sigmoid,
    }
}

plywood::model! {
    pub Autoencoder: Image<28, 28, 1> => Image<28, 28, 1> { encoder: Encoder, decoder: Decoder }
}

plywood::model! {
    pub Probe: Image<28, 28, 1> => Logits<10> { frozen encoder: Encoder, Dense(10) }
}

/// Trains an autoencoder on Fashion-MNIST, and a classifier on what it has learnt.
#[derive(Parser)]
struct Options {
    /// How often to go through the 60,000 training images, for each of both.
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Where initial weights and shuffling start; the same seed gives the same networks.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// A folder with the four IDX files [default: found on this machine or fetched].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the trained weights go; beside it, as `.pgm`, a picture of images and what became of them.
    #[arg(long, value_name = "FILE", default_value = "autoencoder.safetensors")]
    out: PathBuf,
}

fn main() -> plywood::Result<()> {
    let options = Options::parse();
    if let Some(folder) = options.out.parent() {
        // Better to fail now than after the training.
        std::fs::create_dir_all(folder)?;
    }
    let data = options
        .data
        .map_or_else(FashionMnist::load, FashionMnist::at)?;
    let (train, test) = (data.train.reconstruction(), data.test.reconstruction());
    let seed = Seed(options.seed);
    let mut model = Autoencoder::new(seed);
    println!("{}", Autoencoder::summary());
    let fit = Fit::new(Adam::default(), MeanSquaredError);
    let fit = fit.on(&mut model, &train).validate(&test);
    fit.epochs(options.epochs).seed(seed).run()?;
    model.save(&options.out)?;
    std::fs::write(options.out.with_extension("pgm"), drawn(&model, &test))?;

    let mut probe = Probe::new(seed);
    probe.set_encoder(&model.encoder());
    let fit = Fit::new(Adam::default(), CrossEntropy).on(&mut probe, &data.train);
    fit.epochs(options.epochs).seed(seed).run()?;
    let report = evaluate(&probe, &data.test, &CrossEntropy, &Accuracy)?;
    println!("test accuracy of 32 numbers {:.4}", report.summary);
    Ok(())
}

/// Sixteen test images, and below each what the network makes of it, as a portable greymap.
fn drawn(model: &Autoencoder, test: &Dataset<Image<28, 28, 1>, Image<28, 28, 1>>) -> Vec<u8> {
    let mut examples = Examples::default();
    test.fill(&Vec::from_iter(0..16), &mut examples);
    let outputs = Session::new(model).outputs(&examples.inputs);
    let mut file = b"P5 448 56 255\n".to_vec();
    for images in [&examples.inputs, &outputs] {
        for (row, image) in (0..28).flat_map(|row| (0..16).map(move |image| (row, image))) {
            let pixels = &images.sample(image)[row * 28..][..28];
            file.extend(pixels.iter().map(|pixel| (255.0 * pixel) as u8));
        }
    }
    file
}
