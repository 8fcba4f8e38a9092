//! The convolution as its definition says: seven loops.

use super::activate::Activate;
use super::axis::Axis;
use super::{Dims, Forward, InputGradient, WeightGradient};
use crate::float::Float;
use crate::simd::Isa;

/// y, one element at a time; multiplication and addition are each rounded.
pub(super) fn forward<T: Float>(pass: Forward<'_, T>) {
    let Forward {
        dims,
        x,
        weight,
        epilogue,
        y,
        ..
    } = pass;
    for place in 0..dims.places() {
        for oc in 0..dims.output[2] {
            let mut sum = T::ZERO;
            for_each_term(dims, place, oc, |at_x, at_w| {
                sum = x[at_x] * weight[at_w] + sum
            });
            if let Some(bias) = epilogue.bias {
                sum += bias[oc];
            }
            y[place * dims.output[2] + oc] = sum;
        }
    }
    T::dispatch_on(
        Isa::Scalar,
        Activate {
            activation: epilogue.activation,
            values: y,
        },
    );
}

/// dweight, one product at a time.
pub(super) fn weight_gradient<T: Float>(pass: WeightGradient<'_, T>) {
    let WeightGradient {
        dims,
        x,
        dy,
        dweight,
        ..
    } = pass;
    for place in 0..dims.places() {
        for oc in 0..dims.output[2] {
            let dy = dy[place * dims.output[2] + oc];
            for_each_term(dims, place, oc, |at_x, at_w| dweight[at_w] += x[at_x] * dy);
        }
    }
}

/// dx, one product at a time; the order differs from that of the direct kernel.
pub(super) fn input_gradient<T: Float>(pass: InputGradient<'_, T>) {
    let InputGradient {
        dims,
        weight,
        dy,
        dx,
        ..
    } = pass;
    dx.fill(T::ZERO);
    for place in 0..dims.places() {
        for oc in 0..dims.output[2] {
            let dy = dy[place * dims.output[2] + oc];
            for_each_term(dims, place, oc, |at_x, at_w| dx[at_x] += weight[at_w] * dy);
        }
    }
}

/// The offsets in x and in the weight of every term of one element of y.
fn for_each_term(dims: &Dims, place: usize, oc: usize, mut term: impl FnMut(usize, usize)) {
    let [height, width, channels] = dims.input;
    let (inputs, group) = (dims.inputs_per_group(), oc / dims.outputs_per_group());
    let (row, ow) = (place / dims.output[1], place % dims.output[1]);
    let (n, oh) = (row / dims.output[0], row % dims.output[0]);
    for kh in 0..dims.kernel[0] {
        let Some(h) = inside(dims.axis(0), oh, kh) else {
            continue;
        };
        for kw in 0..dims.kernel[1] {
            let Some(w) = inside(dims.axis(1), ow, kw) else {
                continue;
            };
            for ic in 0..inputs {
                let at_x = ((n * height + h) * width + w) * channels + group * inputs + ic;
                let at_w = ((kh * dims.kernel[1] + kw) * inputs + ic) * dims.output[2] + oc;
                term(at_x, at_w);
            }
        }
    }
}

/// The input place under tap `k` of output place `o`, if it is inside.
pub(super) fn inside(axis: Axis, o: usize, k: usize) -> Option<usize> {
    let at = (o * axis.stride + k * axis.dilation).checked_sub(axis.before)?;
    (at < axis.input).then_some(at)
}
