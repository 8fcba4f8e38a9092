//! The ways of computing a convolution, best first.

use super::pack::Prepare;
use super::table::Table;
use super::winograd::{self, Scheme, Winograd};
use super::{Depthwise, Dims, Direct, Forward, InputGradient, WeightGradient, check_len};
use super::{im2col, pack, reference, weight_gradient};
use crate::float::Float;
use crate::pool;
use crate::simd::Isa;

/// One of the three passes of a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// y
    Forward,
    /// The gradient of the weight.
    WeightGradient,
    /// The gradient of x.
    InputGradient,
}

/// One way of computing a convolution and its gradients.
pub struct Implementation<T: Float> {
    /// Name as in benches and logs: `conv_<type>_<tile>_<isa>`.
    pub name: &'static str,
    /// The level it needs.
    pub isa: Isa,
    /// Whether it takes these sizes.
    pub supports: fn(&Dims) -> bool,
    /// Whether it is the way to go for a pass of sizes that it takes, if none before it is; whatever the number of samples.
    pays: fn(&Dims, Pass) -> bool,
    /// Its tiles, where it goes by Winograd's way.
    scheme: Option<Scheme>,
    /// Elements of scratch space that a pass needs.
    pub scratch_len: fn(&Dims, Pass) -> usize,
    /// Elements that are derived from the weight for a pass, whatever the number of samples.
    pub prepared_len: fn(&Dims, Pass) -> usize,
    // The arguments of these are checked.
    prepare: fn(Isa, Prepare<'_, T>),
    forward: fn(Isa, Forward<'_, T>),
    weight_gradient: fn(Isa, WeightGradient<'_, T>),
    input_gradient: fn(Isa, InputGradient<'_, T>),
}

impl<T: Float> Implementation<T> {
    /// Every implementation for `T`, best first within a level and the reference last.
    pub fn all() -> &'static [Self] {
        Table::<T>::get().implementations
    }

    /// Those of `f32`.
    pub(super) const SINGLE: &'static [Self] = &[
        Self::depthwise("conv_f32_depthwise_avx512", Isa::Avx512),
        Self::winograd::<4>("conv_f32_winograd4x4_avx512", Isa::Avx512),
        Self::winograd::<3>("conv_f32_winograd3x3_avx512", Isa::Avx512),
        Self::winograd::<2>("conv_f32_winograd2x2_avx512", Isa::Avx512),
        Self::direct("conv_f32_6x64_avx512", Isa::Avx512),
        Self::depthwise("conv_f32_depthwise_avx2", Isa::Avx2),
        Self::winograd::<4>("conv_f32_winograd4x4_avx2", Isa::Avx2),
        Self::winograd::<3>("conv_f32_winograd3x3_avx2", Isa::Avx2),
        Self::winograd::<2>("conv_f32_winograd2x2_avx2", Isa::Avx2),
        Self::direct("conv_f32_6x16_avx2", Isa::Avx2),
        Self::depthwise("conv_f32_depthwise_scalar", Isa::Scalar),
        Self::winograd::<4>("conv_f32_winograd4x4_scalar", Isa::Scalar),
        Self::winograd::<3>("conv_f32_winograd3x3_scalar", Isa::Scalar),
        Self::winograd::<2>("conv_f32_winograd2x2_scalar", Isa::Scalar),
        Self::direct("conv_f32_6x8_scalar", Isa::Scalar),
        Self::IM2COL,
        Self::REFERENCE,
    ];

    /// Those of `f64`.
    pub(super) const DOUBLE: &'static [Self] = &[
        Self::depthwise("conv_f64_depthwise_scalar", Isa::Scalar),
        Self::winograd::<4>("conv_f64_winograd4x4_scalar", Isa::Scalar),
        Self::winograd::<3>("conv_f64_winograd3x3_scalar", Isa::Scalar),
        Self::winograd::<2>("conv_f64_winograd2x2_scalar", Isa::Scalar),
        Self::direct("conv_f64_6x8_scalar", Isa::Scalar),
        Self::IM2COL,
        Self::REFERENCE,
    ];

    const fn depthwise(name: &'static str, isa: Isa) -> Self {
        Self {
            name,
            isa,
            supports: Dims::is_depthwise,
            pays: |_, _| true,
            scheme: None,
            scratch_len: |_, _| 0,
            prepared_len: |_, _| 0,
            prepare: |_, _| {},
            forward: |isa, pass| T::dispatch_on(isa, Depthwise(pass)),
            weight_gradient: |isa, pass| T::dispatch_on(isa, Depthwise(pass)),
            input_gradient: |isa, pass| T::dispatch_on(isa, Depthwise(pass)),
        }
    }

    /// By tiles of `TILE` × `TILE`.
    const fn winograd<const TILE: usize>(name: &'static str, isa: Isa) -> Self {
        Self {
            name,
            isa,
            supports: winograd::supports,
            pays: |dims, pass| winograd::choose::<T>(dims, pass) == Some(Scheme::of(TILE)),
            scheme: Some(Scheme::of(TILE)),
            scratch_len: |dims, pass| Scheme::of(TILE).scratch_len(dims, pass),
            prepared_len: |dims, pass| Scheme::of(TILE).prepared_len(dims, pass),
            prepare: |isa, weights| T::dispatch_on(isa, Winograd(Scheme::of(TILE), weights)),
            forward: |isa, pass| T::dispatch_on(isa, Winograd(Scheme::of(TILE), pass)),
            weight_gradient: |isa, pass| T::dispatch_on(isa, Winograd(Scheme::of(TILE), pass)),
            input_gradient: |isa, pass| T::dispatch_on(isa, Winograd(Scheme::of(TILE), pass)),
        }
    }

    const fn direct(name: &'static str, isa: Isa) -> Self {
        Self {
            name,
            isa,
            supports: |_| true,
            pays: |_, _| true,
            scheme: None,
            scratch_len: |dims, pass| match pass {
                Pass::WeightGradient => weight_gradient::scratch_len(dims),
                Pass::Forward | Pass::InputGradient => 0,
            },
            prepared_len: pack::len,
            prepare: |isa, weights| T::dispatch_on(isa, weights),
            forward: |isa, pass| T::dispatch_on(isa, Direct(pass)),
            weight_gradient: |isa, pass| T::dispatch_on(isa, Direct(pass)),
            input_gradient: |isa, pass| T::dispatch_on(isa, Direct(pass)),
        }
    }

    const IM2COL: Self = Self {
        name: "conv_im2col",
        isa: Isa::Scalar,
        supports: |_| true,
        pays: |_, _| true,
        scheme: None,
        scratch_len: im2col::scratch_len,
        prepared_len: |_, _| 0,
        prepare: |_, _| {},
        forward: |_, pass| im2col::forward(pass),
        weight_gradient: |_, pass| im2col::weight_gradient(pass),
        input_gradient: |_, pass| im2col::input_gradient(pass),
    };

    const REFERENCE: Self = Self {
        name: "conv_reference",
        isa: Isa::Scalar,
        supports: |_| true,
        pays: |_, _| true,
        scheme: None,
        scratch_len: |_, _| 0,
        prepared_len: |_, _| 0,
        prepare: |_, _| {},
        forward: |_, pass| reference::forward(pass),
        weight_gradient: |_, pass| reference::weight_gradient(pass),
        input_gradient: |_, pass| reference::input_gradient(pass),
    };

    /// The first implementation of a level that takes these sizes and pays for a pass; `f64` has the portable level alone.
    pub(super) fn best(isa: Isa, dims: &Dims, pass: Pass) -> &'static Self {
        let isa = if T::BYTES == 4 { isa } else { Isa::Scalar };
        let mut of_level = Self::all().iter().filter(|it| it.isa == isa);
        of_level
            .find(|it| (it.supports)(dims) && (it.pays)(dims, pass))
            .expect("every level has a kernel for all sizes")
    }

    /// The one that prepares the weight of a forward pass with a pool behind it: windows of 2×2 are tiles of 2×2.
    pub(super) fn best_before_pool(isa: Isa, dims: &Dims, pool: &pool::Dims) -> &'static Self {
        let scheme = winograd::choose_in_windows::<T>(dims, pool);
        if scheme.is_none() {
            return Self::best(isa, dims, Pass::Forward);
        }
        let mut of_level = Self::all().iter().filter(|it| it.isa == isa);
        of_level
            .find(|it| it.scheme == scheme)
            .expect("every level has tiles of all sizes")
    }

    /// Derives from the weight what a pass reads of it.
    ///
    /// # Panics
    /// As [`Implementation::forward`].
    pub fn prepare(&self, dims: &Dims, pass: Pass, weight: &[T], prepared: &mut [T]) {
        check_len("the weight", weight.len(), dims.weight_len());
        self.check(dims);
        self.check_prepared(dims, pass, prepared.len());
        (self.prepare)(
            self.isa,
            Prepare {
                dims,
                pass,
                weight,
                prepared,
            },
        );
    }

    /// Computes y this way.
    ///
    /// # Panics
    /// If this machine lacks the level or the sizes are not supported, or as [`forward`](super::forward).
    pub fn forward(&self, pass: Forward<'_, T>) {
        let dims = pass.dims;
        self.check(dims);
        self.check_scratch(dims, Pass::Forward, pass.scratch.len());
        self.check_prepared(dims, Pass::Forward, pass.prepared.len());
        check_len("x", pass.x.len(), dims.input_len());
        check_len("the weight", pass.weight.len(), dims.weight_len());
        check_len("y", pass.y.len(), dims.output_len());
        if let Some(bias) = pass.epilogue.bias {
            check_len("the bias", bias.len(), dims.bias_len());
        }
        if dims.output_len() > 0 {
            (self.forward)(self.isa, pass);
        }
    }

    /// Adds the weight gradient this way.
    ///
    /// # Panics
    /// As [`Implementation::forward`].
    pub fn weight_gradient(&self, pass: WeightGradient<'_, T>) {
        let dims = pass.dims;
        self.check(dims);
        self.check_scratch(dims, Pass::WeightGradient, pass.scratch.len());
        check_len("x", pass.x.len(), dims.input_len());
        check_len("dy", pass.dy.len(), dims.output_len());
        check_len("dweight", pass.dweight.len(), dims.weight_len());
        if dims.output_len() > 0 && dims.input_len() > 0 {
            (self.weight_gradient)(self.isa, pass);
        }
    }

    /// Computes the input gradient this way.
    ///
    /// # Panics
    /// As [`Implementation::forward`].
    pub fn input_gradient(&self, pass: InputGradient<'_, T>) {
        let dims = pass.dims;
        self.check(dims);
        self.check_scratch(dims, Pass::InputGradient, pass.scratch.len());
        self.check_prepared(dims, Pass::InputGradient, pass.prepared.len());
        check_len("the weight", pass.weight.len(), dims.weight_len());
        check_len("dy", pass.dy.len(), dims.output_len());
        check_len("dx", pass.dx.len(), dims.input_len());
        if dims.output_len() > 0 && dims.input_len() > 0 {
            (self.input_gradient)(self.isa, pass);
        } else {
            pass.dx.fill(T::ZERO);
        }
    }

    fn check(&self, dims: &Dims) {
        dims.check();
        assert!(
            (self.supports)(dims),
            "{} does not take {dims:?}",
            self.name
        );
    }

    fn check_prepared(&self, dims: &Dims, pass: Pass, prepared: usize) {
        let needed = (self.prepared_len)(dims, pass);
        assert!(
            prepared >= needed,
            "{}: {prepared} prepared elements, {needed} are needed",
            self.name
        );
    }

    fn check_scratch(&self, dims: &Dims, pass: Pass, scratch: usize) {
        let needed = (self.scratch_len)(dims, pass);
        assert!(
            scratch >= needed,
            "{}: {scratch} elements of scratch space, {needed} are needed",
            self.name
        );
    }
}
