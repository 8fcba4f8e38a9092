//! Layer normalisation, and batch normalisation over two blocks whose statistics meet.

use plywood_kernels::Float;
use plywood_nn::Layer;
use plywood_nn::layers::{BatchNorm, LayerNorm};
use plywood_shape::{Plan, Shape};
use plywood_testing::Case;

use crate::each;
use crate::harness::{Setting, cast, check, matches, matches_gradient};

/// The kind of the case's input: vectors, sequences of them, images.
fn kind(case: &Case) -> Shape {
    match *case.shape("x") {
        [_, features] => Shape::vector(features),
        [_, _, features] => Shape::vector(features).in_sequence(),
        [_, height, width, channels] => Shape::image(height, width, channels),
        _ => panic!("{}: no such input", case.name),
    }
}

#[test]
fn layer_norm() {
    each("layer_norm", |case| {
        let layer = LayerNorm::new().epsilon(case.number("epsilon"));
        check(case, &layer, &layer.plan(kind(case)));
    });
}

#[test]
fn batch_norm() {
    each("batch_norm", |case| {
        let layer = BatchNorm::new()
            .momentum(case.number("momentum"))
            .epsilon(case.number("epsilon"));
        let plan = layer.plan(kind(case));
        if case.flag("training") {
            training::<f64>(case, &layer, &plan);
            training::<f32>(case, &layer, &plan);
        } else {
            inference::<f64>(case, &layer, &plan);
            inference::<f32>(case, &layer, &plan);
        }
    });
}

/// The output alone: nothing flows back through an inference.
fn inference<T: Float>(case: &Case, layer: &BatchNorm, plan: &Plan) {
    let mut setting = Setting::<T>::of::<_, T>(layer, plan, case);
    setting.training = false;
    let x = cast::<T>(case.values("x"));
    let mut store = setting.store::<_, T>(layer);
    matches::<T>(case, "y", &setting.forward(layer, &x, &mut store));
}

/// A batch in two blocks: statistics are taken from each and merged, then each is normalised; backward likewise.
fn training<T: Float>(case: &Case, layer: &BatchNorm, plan: &Plan) {
    let mut setting = Setting::<T>::of::<_, T>(layer, plan, case);
    let samples = setting.rows.samples;
    let row = plan.input.elements().get();
    let (x, dy) = (cast::<T>(case.values("x")), cast::<T>(case.values("dy")));
    let blocks = [(0, 1), (1, samples)];

    let mut shared = Vec::new();
    for (from, to) in blocks {
        setting.rows.samples = to - from;
        let mut partial = vec![T::ZERO; plan.coupling];
        layer.observe(&setting.pass(), &x[from * row..to * row], &mut partial);
        if shared.is_empty() {
            shared = partial;
        } else {
            Layer::<T>::merge(layer, plan, &mut shared, &partial);
        }
    }
    setting.shared = shared;

    let mut y = Vec::new();
    let mut stores = Vec::new();
    let mut gradient = vec![T::ZERO; plan.parameter_count()];
    let mut shared_gradient = vec![T::ZERO; plan.coupling];
    for (from, to) in blocks {
        setting.rows.samples = to - from;
        let mut store = setting.store::<_, T>(layer);
        let x = &x[from * row..to * row];
        y.extend(setting.forward(layer, x, &mut store));
        stores.push(store);
        let mut partial = vec![T::ZERO; plan.coupling];
        let dy = &dy[from * row..to * row];
        layer.observe_gradient(&setting.pass(), x, dy, &mut partial, &mut gradient);
        for (sum, value) in shared_gradient.iter_mut().zip(partial) {
            *sum += value;
        }
    }
    setting.shared_gradient = shared_gradient;

    let mut dx = Vec::new();
    for ((from, to), mut store) in blocks.into_iter().zip(stores) {
        setting.rows.samples = to - from;
        let range = from * row..to * row;
        let (block, _) = setting.backward(
            layer,
            &x[range.clone()],
            &y[range.clone()],
            &dy[range],
            &mut store,
        );
        dx.extend(block);
    }
    matches::<T>(case, "y", &y);
    matches::<T>(case, "dx", &dx);
    matches_gradient::<T>(case, plan, &gradient);
    running(case, layer, plan, &setting);
}

/// The running statistics after the batch; PyTorch keeps another variance, which has no counterpart.
fn running<T: Float>(case: &Case, layer: &BatchNorm, plan: &Plan, setting: &Setting<'_, T>) {
    let mut state = setting.state.clone();
    layer.absorb(plan, &setting.shared, &mut state);
    let (mean, variance) = state.split_at(state.len() / 2);
    matches::<T>(case, "new_running_mean", mean);
    if case.get("new_running_var").is_some() {
        matches::<T>(case, "new_running_var", variance);
    }
}
