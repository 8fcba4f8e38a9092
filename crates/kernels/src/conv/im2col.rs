//! Convolution as a matrix product over explicit patches: the second opinion, of another build than the direct kernel.
//!
//! The patches of a sample form a matrix `[places][kernel row][kernel column][channel in]` for each group, zero where the
//! kernel overlaps the padding. y = patches · weight, dweight += patchesᵀ · dy, and dx gathers dy · weightᵀ by the same map.

use super::reference::inside;
use super::{Dims, Forward, InputGradient, Pass, WeightGradient};
use crate::float::Float;
use crate::gemm::{self, Epilogue, Gemm, MatrixMut, MatrixRef, Start};

/// Elements of scratch space: the patches of a sample and what the matrix product needs.
pub(super) fn scratch_len(dims: &Dims, pass: Pass) -> usize {
    let (places, terms, outputs) = (
        dims.output[0] * dims.output[1],
        dims.terms(),
        dims.outputs_per_group(),
    );
    let product = match pass {
        Pass::Forward => gemm::scratch_len(outputs, terms),
        Pass::WeightGradient => gemm::scratch_len(outputs, places),
        Pass::InputGradient => gemm::scratch_len(terms, outputs),
    };
    places * terms + product
}

/// A sample and a group.
#[derive(Clone, Copy)]
struct Part<'a> {
    dims: &'a Dims,
    sample: usize,
    group: usize,
}

impl<'a> Part<'a> {
    fn all(dims: &'a Dims) -> impl Iterator<Item = Self> {
        (0..dims.samples).flat_map(move |sample| {
            (0..dims.groups).map(move |group| Self {
                dims,
                sample,
                group,
            })
        })
    }

    /// Places and terms: the sizes of the matrix of patches.
    fn sizes(&self) -> (usize, usize) {
        (self.dims.output[0] * self.dims.output[1], self.dims.terms())
    }

    /// Where the group's channels of the sample's first place lie in y.
    fn y_start(&self) -> usize {
        self.sample * self.sizes().0 * self.dims.output[2]
            + self.group * self.dims.outputs_per_group()
    }

    /// The group's columns of the weight, terms × channels out.
    fn weight<'w, T>(&self, weight: &'w [T]) -> MatrixRef<'w, T> {
        let data = &weight[self.group * self.dims.outputs_per_group()..];
        MatrixRef::row_major(data, self.dims.output[2])
    }

    /// Calls `visit(element of the patches, element of x)` for every element of the patches inside of the image.
    fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let dims = self.dims;
        let [height, width, channels] = dims.input;
        let inputs = dims.inputs_per_group();
        for place in 0..self.sizes().0 {
            for tap in 0..dims.kernel[0] * dims.kernel[1] {
                let h = inside(dims.axis(0), place / dims.output[1], tap / dims.kernel[1]);
                let w = inside(dims.axis(1), place % dims.output[1], tap % dims.kernel[1]);
                let (Some(h), Some(w)) = (h, w) else { continue };
                let x = ((self.sample * height + h) * width + w) * channels + self.group * inputs;
                for ic in 0..inputs {
                    visit(place * dims.terms() + tap * inputs + ic, x + ic);
                }
            }
        }
    }
}

/// y = activation(patches · weight + bias)
pub(super) fn forward<T: Float>(pass: Forward<'_, T>) {
    let Forward {
        dims,
        x,
        weight,
        epilogue,
        y,
        scratch,
        ..
    } = pass;
    let outputs = dims.outputs_per_group();
    for part in Part::all(dims) {
        let (places, terms) = part.sizes();
        let (patches, scratch) = scratch.split_at_mut(places * terms);
        gather(part, x, patches);
        let bias = epilogue
            .bias
            .map(|bias| &bias[part.group * outputs..][..outputs]);
        let product = Gemm {
            m: places,
            n: outputs,
            k: terms,
            a: MatrixRef::row_major(patches, terms),
            b: part.weight(weight),
            start: Start::Zero,
            epilogue: Epilogue { bias, ..epilogue },
        };
        let y = MatrixMut {
            data: &mut y[part.y_start()..],
            row_stride: dims.output[2],
        };
        product.run(y, scratch);
    }
}

/// dweight += patchesᵀ · dy
pub(super) fn weight_gradient<T: Float>(pass: WeightGradient<'_, T>) {
    let WeightGradient {
        dims,
        x,
        dy,
        dweight,
        scratch,
    } = pass;
    for part in Part::all(dims) {
        let (places, terms) = part.sizes();
        let (patches, scratch) = scratch.split_at_mut(places * terms);
        gather(part, x, patches);
        let product = Gemm {
            m: terms,
            n: dims.outputs_per_group(),
            k: places,
            a: MatrixRef::row_major(patches, terms).transposed(),
            b: MatrixRef::row_major(&dy[part.y_start()..], dims.output[2]),
            start: Start::Accumulate,
            epilogue: Epilogue::NONE,
        };
        let columns = &mut dweight[part.group * dims.outputs_per_group()..];
        product.run(
            MatrixMut {
                data: columns,
                row_stride: dims.output[2],
            },
            scratch,
        );
    }
}

/// dx = the elements of dy · weightᵀ, each added where its patch element came from
pub(super) fn input_gradient<T: Float>(pass: InputGradient<'_, T>) {
    let InputGradient {
        dims,
        weight,
        dy,
        dx,
        scratch,
        ..
    } = pass;
    dx.fill(T::ZERO);
    for part in Part::all(dims) {
        let (places, terms) = part.sizes();
        let (patches, scratch) = scratch.split_at_mut(places * terms);
        let product = Gemm {
            m: places,
            n: terms,
            k: dims.outputs_per_group(),
            a: MatrixRef::row_major(&dy[part.y_start()..], dims.output[2]),
            b: part.weight(weight).transposed(),
            start: Start::Zero,
            epilogue: Epilogue::NONE,
        };
        product.run(MatrixMut::row_major(patches, terms), scratch);
        part.for_each(|patch, x| dx[x] += patches[patch]);
    }
}

fn gather<T: Float>(part: Part<'_>, x: &[T], patches: &mut [T]) {
    patches.fill(T::ZERO);
    part.for_each(|patch, at| patches[patch] = x[at]);
}
