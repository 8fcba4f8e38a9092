//! Networks over images and plain numbers: convolutions, each with a batch normalisation or none, then dense layers.

use crate::{CLASSES, Network, dense, glorot};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// Rows, columns and channels of a network's images.
pub fn image(network: &str) -> [usize; 3] {
    match network {
        "cnn" => [28, 28, 1],
        "vgg" => [32, 32, 3],
        _ => [1, 1, 784],
    }
}

/// A network. A pool follows the convolutions that `pooled` names.
#[derive(Module, Debug)]
pub struct Layers {
    convolutions: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    dense: Vec<Linear>,
    pool: MaxPool2d,
    #[module(skip)]
    pooled: Vec<usize>,
}

impl Layers {
    pub fn new(network: &str, device: &Device) -> Self {
        let (channels, widths, pooled): (&[usize], &[usize], &[usize]) = match network {
            "cnn" => (&[1, 32, 64, 64], &[576, 64, CLASSES], &[0, 1]),
            "vgg" => (
                &[3, 64, 64, 128, 128, 256, 256],
                &[4096, 256, CLASSES],
                &[1, 3, 5],
            ),
            _ => (&[], &[784, 512, 512, CLASSES], &[]),
        };
        let normed = network == "vgg";
        let convolution = |pair: &[usize]| conv(pair[0], pair[1], normed, device);
        // The epsilon and momentum of Keras and Plywood.
        let norm = |pair: &[usize]| {
            BatchNormConfig::new(pair[1])
                .with_epsilon(1e-3)
                .with_momentum(0.01)
                .init(device)
        };
        Self {
            convolutions: channels.windows(2).map(convolution).collect(),
            norms: channels.windows(2).filter(|_| normed).map(norm).collect(),
            dense: widths
                .windows(2)
                .map(|pair| dense(pair[0], pair[1], device))
                .collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            pooled: pooled.to_vec(),
        }
    }
}

fn conv(channels: usize, out: usize, same: bool, device: &Device) -> Conv2d {
    let padding = if same {
        PaddingConfig2d::Same
    } else {
        PaddingConfig2d::Valid
    };
    let mut layer = Conv2dConfig::new([channels, out], [3, 3])
        .with_padding(padding)
        .init(device);
    layer.weight = glorot(9 * channels, 9 * out).init([out, channels, 3, 3], device);
    layer.bias = Some(Initializer::Zeros.init([out], device));
    layer
}

impl Network for Layers {
    type Input = Tensor<4>;

    fn logits(&self, mut x: Tensor<4>) -> Tensor<2> {
        for (index, convolution) in self.convolutions.iter().enumerate() {
            x = convolution.forward(x);
            if let Some(norm) = self.norms.get(index) {
                x = norm.forward(x);
            }
            x = relu(x);
            if self.pooled.contains(&index) {
                x = self.pool.forward(x);
            }
        }
        let mut x: Tensor<2> = x.flatten(1, 3);
        for (index, dense) in self.dense.iter().enumerate() {
            if index > 0 {
                x = relu(x);
            }
            x = dense.forward(x);
        }
        x
    }
}
