//! Lesson 4: a layer of your own stands in a list like a built-in one, checked by the compiler.
//!
//! A layer is plain data with two things: `plan`, a `const fn` that says what comes out and which parameters it takes; and
//! `Layer`, what it computes, over slices. Here: every feature is multiplied by a trained factor of its own.

use plywood::prelude::*;
use plywood::{Fill, Float, Flow, Layer, Memory, Pass, Plan, Shape};

/// `y = factor ⊙ x`, feature by feature.
#[derive(Default)]
pub struct Scale;

impl Scale {
    /// The layer; it has no arguments.
    pub const fn new() -> Self {
        Self
    }

    /// The shape stays; there is one factor a feature.
    pub const fn plan(&self, input: Shape) -> Plan {
        Plan::yields(input, input).parameter("factor", &[input.features()], Fill::Ones)
    }
}

impl<T: Float> Layer<T> for Scale {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        let factors = pass.parameters.iter().cycle();
        for ((y, x), factor) in y.iter_mut().zip(x).zip(factors) {
            *y = *factor * *x;
        }
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        let features = pass.parameters.len();
        for (i, (dy, x)) in flow.dy.iter().zip(flow.x).enumerate() {
            flow.gradient[i % features] += *dy * *x;
        }
        if let Some(dx) = flow.dx {
            let factors = pass.parameters.iter().cycle();
            for ((dx, dy), factor) in dx.iter_mut().zip(&*flow.dy).zip(factors) {
                *dx = *factor * *dy;
            }
        }
    }
}

plywood::model! {
    pub Scaled: Image<28, 28, 1> => Logits<10> {
        Flatten,
        scale: Scale(),
        Dense(32), Relu,
        Dense(10),
    }
}

fn main() -> plywood::Result<()> {
    let (train, test) = (
        plywood::data::synthetic::images(2_000, 1),
        plywood::data::synthetic::images(500, 2),
    );
    let mut model = Scaled::new(Seed(1));
    println!("{}", Scaled::summary());
    Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &train)
        .epochs(3)
        .metric(Accuracy)
        .validate(&test)
        .run()?;
    let factors = model.scale().parameters();
    println!("the first factors: {:.3?}", &factors[..5]);
    Ok(())
}
