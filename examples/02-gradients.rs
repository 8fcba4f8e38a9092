//! Lesson 2: the tape records what is done to numbers and gives derivatives back.

use plywood::autograd::gradcheck;
use plywood::prelude::*;

fn main() -> plywood::Result<()> {
    // y = Σ (a·b + a): two values, of which `a` is used twice.
    let tape = Tape::new();
    let a = tape.leaf(Tensor::from_vec([3], vec![1.0_f64, 2.0, 3.0]));
    let b = tape.leaf(Tensor::from_vec([3], vec![4.0_f64, 5.0, 6.0]));
    let y = (a * b + a).sum_all();
    println!("y = {}", y.value());

    let gradients = y.backward();
    println!("dy/da = b + 1 = {}", gradients.of(a));
    println!("dy/db = a     = {}", gradients.of(b));

    // What is detached counts as a constant.
    let z = (a * a.detach()).sum_all();
    println!("dz/da with one factor detached = {}", z.backward().of(a));

    // A hundred steps of gradient descent on (x − 3)².
    let mut x = 0.0_f64;
    for _ in 0..100 {
        let tape = Tape::new();
        let variable = tape.leaf(Tensor::scalar(x));
        let error = variable - tape.constant(Tensor::scalar(3.0));
        let gradients = (error * error).backward();
        x -= 0.1 * gradients.of(variable).data()[0];
    }
    println!("the minimum of (x - 3)^2 is at {x:.6}");

    // Any gradient can be checked against finite differences.
    let input = Tensor::from_vec([4], vec![0.3_f64, -0.2, 0.9, -1.4]);
    gradcheck(&[input], |_, inputs| inputs[0].tanh() * inputs[0])?;
    println!("the gradient of tanh(x)·x is right");
    Ok(())
}
