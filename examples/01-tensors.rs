//! Lesson 1: tensors hold numbers in any number of dimensions.

use plywood::prelude::*;

fn main() {
    // Two rows of three numbers.
    let a = Tensor::from_vec([2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    println!("a =\n{a}");

    // Arithmetic goes number by number; a smaller shape is repeated along the axes it lacks.
    let row = Tensor::from_vec([3], vec![10.0_f32, 20.0, 30.0]);
    println!("a + row =\n{}", &a + &row);

    // A view shows the same numbers in another order, without copying them.
    println!("a transposed =\n{}", a.transpose());

    // Reductions go along an axis, or over everything.
    println!("sum over the rows = {}", a.sum([0]));
    println!("mean of all = {}", a.mean_all());

    // Products of matrices.
    println!("a · aᵀ =\n{}", a.matmul(&a.transpose()));

    // A batch knows what its samples are: here, three images of 2×2 with one channel.
    let images: Batch<Image<2, 2, 1>> = Batch::new(3);
    println!(
        "{} images, {} numbers",
        images.samples(),
        images.data().len()
    );
}
