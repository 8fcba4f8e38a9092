//! Activations of one's own: alone, or behind a layer in one step with it.
//!
//! ```text
//! forward     y = f(x)
//! backward    dx = f'(x) · dy
//! ```
//!
//! Behind a layer, x is what that layer yields: it is kept for the way back and never written as an output, and the gradient is
//! multiplied where it lies. In inference, where nothing is kept, the function is applied in place.

use crate::layer::{Flow, LateWeight, Layer, Memory, Parts, Pass};
use plywood_kernels::Float;
use plywood_kernels::simd::{Kernel, Simd};
use plywood_shape::layers::{Pointwise, Then};
use plywood_shape::{Plan, Rows};
use std::ops::Range;

/// An activation of one's own: `Activation(Swish)` in a list, where `Swish` implements this.
///
/// Behind `Conv2d` and `Dense` it is computed with them, as built-in activations are. Numbers are computed one by one, on every level of
/// instruction sets alike; what the compiler can turn into vectors it does for the level at hand.
///
/// ```
/// use plywood_kernels::Float;
/// use plywood_nn::Function;
///
/// /// `y = x³`
/// #[derive(Clone, Copy, Debug)]
/// pub struct Cube;
///
/// impl Function for Cube {
///     fn value<T: Float>(self, x: T) -> T {
///         x * x * x
///     }
///     fn slope<T: Float>(self, x: T) -> T {
///         T::from_f64(3.0) * x * x
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activation",
    label = "not an activation",
    note = "an activation is `Copy` and implements `plywood::Function`: `value`, and its derivative `slope`; a layer stands in the list by itself"
)]
pub trait Function: Copy + Send + Sync {
    /// f(x)
    fn value<T: Float>(self, x: T) -> T;

    /// f'(x)
    fn slope<T: Float>(self, x: T) -> T;
}

/// `y = f(x)`
struct Values<'a, F, T> {
    function: F,
    x: &'a [T],
    y: &'a mut [T],
}

impl<F: Function, T: Float> Kernel<T> for Values<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _: S) {
        for (y, x) in self.y.iter_mut().zip(self.x) {
            *y = self.function.value(*x);
        }
    }
}

/// `g = f'(x) · g`
struct Slopes<'a, F, T> {
    function: F,
    x: &'a [T],
    gradient: &'a mut [T],
}

impl<F: Function, T: Float> Kernel<T> for Slopes<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _: S) {
        for (gradient, x) in self.gradient.iter_mut().zip(self.x) {
            *gradient = self.function.slope(*x) * *gradient;
        }
    }
}

/// `y = f(y)`
struct InPlace<'a, F, T> {
    function: F,
    y: &'a mut [T],
}

impl<F: Function, T: Float> Kernel<T> for InPlace<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _: S) {
        for y in self.y {
            *y = self.function.value(*y);
        }
    }
}

impl<T: Float, F: Function> Layer<T> for Pointwise<F> {
    fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        let function = self.function;
        T::dispatch(Values { function, x, y });
    }

    fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        let Some(gradient) = flow.dx else { return };
        gradient.copy_from_slice(flow.dy);
        let (function, x) = (self.function, flow.x);
        T::dispatch(Slopes {
            function,
            x,
            gradient,
        });
    }
}

impl<T: Float, L: Layer<T>, F: Function> Layer<T> for Then<L, Pointwise<F>> {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let function = self.function.function;
        if !pass.keeps {
            self.layer.forward(pass, x, y, memory);
            return T::dispatch(InPlace { function, y });
        }
        let (between, memory) = cut(memory, y.len());
        self.layer.forward(pass, x, between, memory);
        T::dispatch(Values {
            function,
            x: between,
            y,
        });
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let (between, memory) = cut(memory, flow.y.len());
        let function = self.function.function;
        T::dispatch(Slopes {
            function,
            x: between,
            gradient: flow.dy,
        });
        let flow = Flow { y: between, ..flow };
        self.layer.backward(pass, flow, memory);
    }

    fn parts(&self, plan: &Plan, rows: Rows) -> Option<Parts> {
        self.layer.parts(plan, rows)
    }

    fn forward_part(
        &self,
        pass: &Pass<'_, T>,
        x: &[T],
        units: Range<usize>,
        y: &mut [T],
        memory: Memory<'_, T>,
    ) {
        self.layer.forward_part(pass, x, units, y, memory);
        let function = self.function.function;
        T::dispatch(InPlace { function, y });
    }

    fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
        self.layer.scratch_len(plan, rows)
    }

    fn prepared_len(&self, plan: &Plan) -> usize {
        self.layer.prepared_len(plan)
    }

    fn prepared_for_forward_len(&self, plan: &Plan) -> usize {
        self.layer.prepared_for_forward_len(plan)
    }

    fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
        self.layer.prepare(plan, parameters, prepared);
    }

    fn late_weight(&self, plan: &Plan) -> Option<LateWeight> {
        self.layer.late_weight(plan)
    }

    fn late_gradient(
        &self,
        plan: &Plan,
        kept: &[T],
        start: usize,
        part: &mut [T],
        scratch: &mut [T],
    ) {
        self.layer.late_gradient(plan, kept, start, part, scratch);
    }
}

/// What lies between the layer and the function, `len` numbers behind what the layer saves itself.
fn cut<T>(memory: Memory<'_, T>, len: usize) -> (&mut [T], Memory<'_, T>) {
    let own = memory.saved.len() - len;
    let (saved, between) = memory.saved.split_at_mut(own);
    (between, Memory { saved, ..memory })
}
