//! Passes over memory: batch normalisation, softmax with cross-entropy, Adam's update.

use super::clock::Clock;
use super::{Row, bytes, filled};
use plywood::kernels::AlignedVec;
use plywood::kernels::elementwise::Activation;
use plywood::kernels::norm::{self, Epilogue, Norm};
use plywood::kernels::optimizer::{Adam, WeightDecay};
use plywood::kernels::softmax::{CrossEntropy, Targets, cross_entropy};

/// Rows and channels of a batch norm: the places of an image in the VGG's first layers.
const PLACES: usize = 32 * 32;
const CHANNELS: usize = 64;
/// Rows and classes of a loss: the steps of a block of sequences.
const ROWS: usize = 1600;
const CLASSES: usize = 10;
/// Parameters of an update: the chapter's two networks, the second with its table.
const PARAMETERS: [usize; 2] = [93_322, 669_642];

pub(super) fn rows(clock: Clock) -> Vec<Row> {
    let mut rows = batch_norm(clock);
    rows.push(softmax_cross_entropy(clock));
    rows.extend(PARAMETERS.map(|len| adam(clock, len)));
    rows
}

fn batch_norm(clock: Clock) -> Vec<Row> {
    let len = PLACES * CHANNELS;
    let (x, dy) = (filled(len), filled(len));
    let (weight, bias) = (filled(CHANNELS), filled(CHANNELS));
    let [mut mean, mut m2, mut sum, mut normal] = [(); 4].map(|()| AlignedVec::zeroed(CHANNELS));
    let mut result = AlignedVec::zeroed(len);
    let name = |pass| format!("batch norm {PLACES}x{CHANNELS}, {pass}");
    let statistics = Row::timed(clock, name("statistics"), bytes(len), || {
        norm::statistics(&x, &mut mean, &mut m2);
    });
    let norm = Norm {
        mean: &mean,
        m2: &m2,
        count: PLACES as f32,
        epsilon: 1e-3,
        weight: &weight,
        bias: &bias,
    };
    let epilogue = Epilogue::rows(PLACES, CHANNELS, Activation::Relu);
    let normalise = Row::timed(clock, name("normalise"), bytes(2 * len), || {
        norm::normalise(norm, &epilogue, &x, &mut result);
    });
    let sums = Row::timed(clock, name("gradient sums"), bytes(2 * len), || {
        norm::gradient_sums(norm, &epilogue, [&x, &dy], [&mut sum, &mut normal]);
    });
    let input = Row::timed(clock, name("input gradient"), bytes(3 * len), || {
        let sums = norm::BatchSums {
            count: PLACES as f32,
            dz: &sum,
            dz_normal: &normal,
        };
        norm::input_gradient((norm, sums), &epilogue, [&x, &dy], &mut result);
    });
    vec![statistics, normalise, sums, input]
}

fn softmax_cross_entropy(clock: Clock) -> Row {
    let logits = filled(ROWS * CLASSES);
    let targets: Vec<u32> = (0..ROWS).map(|row| (row % CLASSES) as u32).collect();
    let mut losses = AlignedVec::zeroed(ROWS);
    let mut gradient = AlignedVec::zeroed(logits.len());
    let name = format!("softmax, cross-entropy and gradient {ROWS}x{CLASSES}");
    Row::timed(clock, name, bytes(2 * logits.len()), || {
        let loss = CrossEntropy {
            classes: CLASSES,
            targets: Targets::Sparse(&targets),
            weights: None,
            label_smoothing: 0.0,
            gradient_scale: 1.0 / ROWS as f32,
        };
        cross_entropy(loss, &logits, &mut losses, &mut gradient);
    })
}

fn adam(clock: Clock, len: usize) -> Row {
    let rule = Adam {
        learning_rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        weight_decay: WeightDecay::None,
        gradient_scale: 1.0,
    };
    let (mut parameters, gradient) = (filled(len), filled(len));
    let (mut m, mut v) = (AlignedVec::zeroed(len), AlignedVec::zeroed(len));
    let mut step = 0;
    let name = format!("Adam, {len} parameters");
    // Parameters and moments are read and written, the gradient is read.
    Row::timed(clock, name, bytes(7 * len), || {
        step += 1;
        rule.step(step, &mut parameters, &gradient, &mut m, &mut v);
    })
}
