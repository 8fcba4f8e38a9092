//! Lesson 3: a network is a list of layers; the compiler checks every shape in it.
//!
//! Try what happens when you leave out `Flatten`, ask for a kernel of 30, or declare `Logits<12>`.

use plywood::data::synthetic;
use plywood::prelude::*;

plywood::model! {
    /// Small grey images in, ten classes out.
    pub Net: Image<28, 28, 1> => Logits<10> {
        stem: Conv2d(8, kernel: 3, stride: 2), Relu,
        Conv2d(16, kernel: 3, stride: 2, padding: same), BatchNorm, Relu,
        GlobalAvgPool2d,
        head: Dense(10),
    }
}

fn main() -> plywood::Result<()> {
    // Everything about the shapes is known before the program runs.
    println!("{}", Net::summary());
    println!(
        "{} parameters, {} flops forward a sample",
        Net::PARAMETERS,
        Net::FLOPS
    );

    // Data that need no file: bars at ten angles.
    let (train, test) = (synthetic::images(2_000, 1), synthetic::images(500, 2));
    let mut model = Net::new(Seed(42));
    let history = Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &train)
        .epochs(4)
        .metric(Accuracy)
        .validate(&test)
        .run()?;
    if let Some(epoch) = history.last() {
        println!("after the last epoch: {epoch}");
    }

    // A layer with a name is a method; its numbers are plain slices.
    println!("the head's bias: {:.3?}", model.head().bias());

    // One image through the network.
    let mut example = Examples::default();
    test.fill(&[0], &mut example);
    let logits = Session::new(&model).outputs(&example.inputs);
    println!("logits of the first image: {:.2?}", logits.data());
    println!("its class: {:?}", example.targets.data());
    Ok(())
}
