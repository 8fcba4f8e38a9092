//! Lesson 4: a layer of your own stands in a list like a built-in one, checked by the compiler. It is plain data with `plan`, a
//! `const fn` that says what comes out and which parameters it takes, and `Layer`, what it computes, over slices.

use plywood::prelude::*;
use plywood::{Fill, Float, Flow, Layer, Memory, Pass, Plan, Shape};

/// `y = factor ⊙ x`, a trained factor for every feature.
struct Scale;

impl Scale {
    const fn new() -> Self {
        Self
    }

    const fn plan(&self, input: Shape) -> Plan {
        Plan::yields(input, input).parameter("factor", &[input.features()], Fill::Ones)
    }
}

impl<T: Float> Layer<T> for Scale {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        for ((y, x), factor) in y.iter_mut().zip(x).zip(pass.parameters.iter().cycle()) {
            *y = *factor * *x;
        }
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        let features = pass.parameters.len();
        for (i, (dy, x)) in flow.dy.iter().zip(flow.x).enumerate() {
            flow.gradient[i % features] += *dy * *x;
        }
        for (i, dx) in flow.dx.into_iter().flatten().enumerate() {
            *dx = pass.parameters[i % features] * flow.dy[i];
        }
    }
}

plywood::model! {
    Scaled: Image<28, 28, 1> => Logits<10> { Flatten, scale: Scale(), Dense(32), Relu, Dense(10) }
}

fn main() -> plywood::Result<()> {
    let images = plywood::data::synthetic::images;
    let mut model = Scaled::new(Seed(1));
    println!("{}", Scaled::summary());
    Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &images(2_000, 1))
        .epochs(3)
        .metric(Accuracy)
        .validate(&images(500, 2))
        .run()?;
    let factors = model.scale().parameters();
    println!("the first factors: {:.3?}", &factors[..5]);
    Ok(())
}
