//! Runs one layer over a golden case and compares what comes out.

use plywood_kernels::Float;
use plywood_kernels::random::Random;
use plywood_nn::{Flow, Layer, Memory, Noise, Pass};
use plywood_shape::{Plan, Rows};
use plywood_testing::Case;
use plywood_testing::close::assert_close_named;

/// Gradients are added to this, and what was not written shows.
const BEFORE: f64 = 1.0;

/// What a layer reads in a pass.
pub(crate) struct Setting<'a, T> {
    pub(crate) plan: &'a Plan,
    pub(crate) rows: Rows,
    pub(crate) lengths: Vec<u32>,
    pub(crate) training: bool,
    pub(crate) parameters: Vec<T>,
    pub(crate) state: Vec<T>,
    pub(crate) prepared: Vec<T>,
    pub(crate) shared: Vec<T>,
    pub(crate) shared_gradient: Vec<T>,
}

/// What it writes beside its output.
pub(crate) struct Store<T> {
    saved: Vec<T>,
    bytes: Vec<u8>,
    scratch: Vec<T>,
}

impl<'a, T: Float> Setting<'a, T> {
    /// A training pass with the case's parameters and state.
    pub(crate) fn of<L: Layer<T, X>, X>(layer: &L, plan: &'a Plan, case: &Case) -> Self {
        assert!(plan.fault.is_none(), "{}: {:?}", case.name, plan.fault);
        let tensors = |state: bool| {
            let kept = plan
                .tensors()
                .iter()
                .filter(move |tensor| tensor.state == state);
            kept.flat_map(|tensor| cast(case.values(tensor.name)))
                .collect::<Vec<T>>()
        };
        let parameters = tensors(false);
        let mut prepared = vec![T::NAN; layer.prepared_len(plan)];
        layer.prepare(plan, &parameters, &mut prepared);
        let x = case.shape("x");
        let lengths = case.get("lengths").map(|_| case.indices("lengths"));
        Self {
            plan,
            rows: Rows {
                samples: x[0],
                steps: if plan.input.sequence { x[1] } else { 1 },
            },
            lengths: lengths.unwrap_or_default(),
            training: true,
            state: tensors(true),
            parameters,
            prepared,
            shared: Vec::new(),
            shared_gradient: Vec::new(),
        }
    }

    pub(crate) fn pass(&self) -> Pass<'_, T> {
        Pass {
            plan: self.plan,
            rows: self.rows,
            lengths: &self.lengths,
            training: self.training,
            keeps: true,
            noise: Noise {
                random: Random {
                    seed: 0,
                    stream: 0,
                    step: 0,
                },
                first_sample: 0,
            },
            parameters: &self.parameters,
            state: &self.state,
            prepared: &self.prepared,
            lookup: None,
            shared: &self.shared,
            shared_gradient: &self.shared_gradient,
        }
    }

    /// Memory for a pass, full of what must not be read.
    pub(crate) fn store<L: Layer<T, X>, X>(&self, layer: &L) -> Store<T> {
        let rows = self.rows.of(self.plan.input);
        let samples = self.rows.samples;
        Store {
            saved: vec![T::NAN; self.plan.saved.len(rows, samples)],
            bytes: vec![u8::MAX; self.plan.saved_bytes.len(rows, samples)],
            scratch: vec![T::NAN; layer.scratch_len(self.plan, self.rows)],
        }
    }

    pub(crate) fn forward<L: Layer<T, X>, X>(
        &self,
        layer: &L,
        x: &[X],
        store: &mut Store<T>,
    ) -> Vec<T> {
        let outputs = self.plan.output.elements().get() * self.rows.of(self.plan.output);
        let mut y = vec![T::NAN; outputs];
        layer.forward(&self.pass(), x, &mut y, store.memory());
        y
    }

    /// The gradients of the input and of the parameters.
    pub(crate) fn backward<L: Layer<T>>(
        &self,
        layer: &L,
        x: &[T],
        y: &[T],
        dy: &[T],
        store: &mut Store<T>,
    ) -> (Vec<T>, Vec<T>) {
        let mut dx = vec![T::NAN; x.len()];
        let mut gradient = vec![T::from_f64(BEFORE); self.parameters.len()];
        store.scratch.fill(T::NAN);
        let flow = Flow {
            x,
            y,
            dy: &mut dy.to_vec(),
            dx: Some(&mut dx),
            gradient: &mut gradient,
            kept: &mut [],
        };
        layer.backward(&self.pass(), flow, store.memory());
        for value in &mut gradient {
            *value -= T::from_f64(BEFORE);
        }
        (dx, gradient)
    }
}

impl<T> Store<T> {
    pub(crate) fn memory(&mut self) -> Memory<'_, T> {
        Memory {
            saved: &mut self.saved,
            bytes: &mut self.bytes,
            carried: &mut [],
            scratch: &mut self.scratch,
        }
    }
}

/// Asserts in f64 and in f32 that the layer makes of the case what the framework did, and the same output while inferring.
pub(crate) fn check<L: Layer<f64> + Layer<f32>>(case: &Case, layer: &L, plan: &Plan) {
    check_in::<f64, L>(case, layer, plan);
    check_in::<f32, L>(case, layer, plan);
}

fn check_in<T: Float, L: Layer<T>>(case: &Case, layer: &L, plan: &Plan) {
    let mut setting = Setting::of(layer, plan, case);
    let mut store = setting.store(layer);
    let x = rows_of(&setting, case, "x", plan.input.sequence);
    let dy = rows_of(&setting, case, "dy", plan.output.sequence);
    let y = setting.forward(layer, &x, &mut store);
    let (dx, gradient) = setting.backward(layer, &x, &y, &dy, &mut store);
    matches_output(&setting, case, &y);
    let dx = sample_major(&dx, setting.rows, plan.input.sequence);
    matches::<T>(case, "dx", &dx);
    matches_gradient::<T>(case, plan, &gradient);
    setting.training = false;
    let inferred = setting.forward(layer, &x, &mut setting.store(layer));
    assert!(
        inferred == y,
        "{}: inference differs from training",
        case.name
    );
}

/// The parameters' gradients, tensor by tensor.
pub(crate) fn matches_gradient<T: Float>(case: &Case, plan: &Plan, gradient: &[T]) {
    let mut rest = gradient;
    for tensor in plan.tensors().iter().filter(|tensor| !tensor.state) {
        let (own, further) = rest.split_at(tensor.count());
        matches::<T>(case, &format!("d{}", tensor.name), own);
        rest = further;
    }
    assert!(rest.is_empty(), "{}: gradients without a tensor", case.name);
}

/// Compares the output; of padded sequences the valid steps alone where the framework shows zeros in the others.
pub(crate) fn matches_output<T: Float>(setting: &Setting<'_, T>, case: &Case, y: &[T]) {
    let plan = setting.plan;
    let mut y = sample_major(y, setting.rows, plan.output.sequence);
    if plan.output.sequence && case.config["padded"] == "zero" {
        let features = plan.output.elements().get();
        for (row, y) in y.chunks_exact_mut(features).enumerate() {
            let (n, t) = (row / setting.rows.steps, row % setting.rows.steps);
            if t >= setting.lengths[n] as usize {
                y.fill(T::ZERO);
            }
        }
    }
    matches::<T>(case, "y", &y);
}

/// Asserts that `actual` is the case's tensor `name`, as precisely as `T` and the framework are.
#[track_caller]
pub(crate) fn matches<T: Float>(case: &Case, name: &str, actual: &[T]) {
    let own = if T::BYTES == 8 { 1e-10 } else { 2e-5 };
    let tolerance = case.tolerance().max(own);
    let actual: Vec<f64> = actual.iter().map(|value| value.to_f64()).collect();
    let what = format!("{} {name} in {}", case.name, T::NAME);
    assert_close_named(&what, &actual, case.values(name), tolerance, tolerance);
}

/// The tensor `name` in rows as a layer takes them: a sequence's in the order of time.
fn rows_of<T: Float>(setting: &Setting<'_, T>, case: &Case, name: &str, sequence: bool) -> Vec<T> {
    let values = cast(case.values(name));
    let Rows { samples, steps } = setting.rows;
    if sequence {
        swapped(&values, samples, steps)
    } else {
        values
    }
}

/// Rows in the order of the samples, from rows as a layer gives them.
fn sample_major<T: Float>(values: &[T], rows: Rows, sequence: bool) -> Vec<T> {
    if sequence {
        swapped(values, rows.steps, rows.samples)
    } else {
        values.to_vec()
    }
}

/// Rows [outer][inner] as [inner][outer].
pub(crate) fn swapped<E: Copy>(values: &[E], outer: usize, inner: usize) -> Vec<E> {
    let width = values.len() / (outer * inner);
    let row = |at: usize| &values[(at % outer * inner + at / outer) * width..][..width];
    (0..outer * inner).flat_map(row).copied().collect()
}

pub(crate) fn cast<T: Float>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::from_f64(value)).collect()
}
