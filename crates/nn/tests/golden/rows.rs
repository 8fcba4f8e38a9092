//! What works row by row or number by number: dense, embedding, activations, softmax.

use plywood_kernels::Float;
use plywood_nn::layers::{Dense, Embedding, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softmax, Tanh};
use plywood_nn::{Flow, Layer};
use plywood_shape::{Plan, Shape};
use plywood_testing::Case;

use crate::each;
use crate::harness::{Setting, cast, check, matches_gradient, matches_output, swapped};

/// The kind of the case's input: vectors, or sequences of them.
fn vectors(case: &Case) -> Shape {
    let x = case.shape("x");
    let vector = Shape::vector(x[x.len() - 1]);
    if x.len() == 3 {
        vector.in_sequence()
    } else {
        vector
    }
}

#[test]
fn dense() {
    each("dense", |case| {
        let layer = Dense::new(case.size("outputs")).bias(case.flag("bias"));
        check(case, &layer, &layer.plan(vectors(case)));
    });
}

macro_rules! pointwise {
    ($($name:ident: $layer:expr;)*) => {$(
        #[test]
        fn $name() {
            each(stringify!($name), |case| {
                let layer = $layer(case);
                check(case, &layer, &layer.plan(vectors(case)));
            });
        }
    )*};
}

pointwise! {
    relu: |_| Relu::new();
    leaky_relu: |case: &Case| LeakyRelu::new(case.number("slope"));
    gelu: |_| Gelu::new();
    silu: |_| Silu::new();
    tanh: |_| Tanh::new();
    sigmoid: |_| Sigmoid::new();
    softmax: |_| Softmax::new();
}

#[test]
fn embedding() {
    each("embedding", |case| {
        let layer = Embedding::new(case.size("features"));
        let tokens = Shape::token(case.size("vocabulary")).in_sequence();
        let plan = layer.plan(tokens);
        embedding_in::<f64>(case, &layer, &plan);
        embedding_in::<f32>(case, &layer, &plan);
    });
}

/// Rows are kept on the way back and scattered after it.
fn embedding_in<T: Float>(case: &Case, layer: &Embedding, plan: &Plan) {
    let setting = Setting::<T>::of::<_, u32>(layer, plan, case);
    let (samples, steps) = (setting.rows.samples, setting.rows.steps);
    let tokens = swapped(&case.indices("x"), samples, steps);
    let mut store = setting.store::<_, u32>(layer);
    let y = setting.forward(layer, &tokens, &mut store);
    matches_output(&setting, case, &y);
    let mut dy = swapped(&cast::<T>(case.values("dy")), samples, steps);
    let mut deferred = vec![T::NAN; dy.len()];
    let flow = Flow {
        x: &tokens,
        y: &y,
        dy: &mut dy,
        dx: None,
        gradient: &mut deferred,
        kept: &mut [],
    };
    layer.backward(&setting.pass(), flow, store.memory());
    let mut gradient = vec![T::ZERO; plan.parameter_count()];
    let features = layer.features.get();
    let half = plan.parameter_count() / features / 2 * features;
    for start in [0, half] {
        let end = if start == 0 { half } else { gradient.len() };
        layer.scatter(plan, &tokens, &deferred, start, &mut gradient[start..end]);
    }
    matches_gradient(case, plan, &gradient);
}
