//! What the layers want to have ready, derived from the parameters after each of their changes.

use crate::engine::{Place, Timer, Work};
use crate::layer::Layer;
use crate::network::{Network, Step, Visitor};
use crate::run::Layout;
use plywood_kernels::Float;
use std::ops::Range;

/// Derived numbers that are worth a hand-over to another thread.
const WORTH_SPLITTING: usize = 1 << 14;

/// Lets every layer derive what it wants from `parameters`.
pub(crate) fn prepare<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    prepared: &mut [N::Scalar],
) {
    let steps = 0..N::STEPS.len();
    prepare_steps::<N>(layout, parameters, steps, prepared, Timer::default());
}

/// The same on all threads of this pool, some steps on each.
pub(crate) fn prepare_in_parallel<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    prepared: &mut [N::Scalar],
    timer: Timer<'_>,
) {
    let steps = 0..N::STEPS.len();
    split::<N>(layout, parameters, steps, prepared, timer);
}

/// Cuts `steps` where half of what is to be derived lies, until a part is not worth it.
fn split<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    steps: Range<usize>,
    prepared: &mut [N::Scalar],
    timer: Timer<'_>,
) {
    if prepared.is_empty() {
        return;
    }
    let origin = layout.prepared(steps.start).start;
    let offset = |step: usize| layout.prepared(step).start - origin;
    let middle = (steps.start + 1..steps.end)
        .min_by_key(|&step| offset(step).abs_diff(prepared.len() / 2))
        .filter(|_| prepared.len() >= WORTH_SPLITTING);
    let Some(middle) = middle else {
        return prepare_steps::<N>(layout, parameters, steps, prepared, timer);
    };
    let (first, second) = prepared.split_at_mut(offset(middle));
    rayon::join(
        || split::<N>(layout, parameters, steps.start..middle, first, timer),
        || split::<N>(layout, parameters, middle..steps.end, second, timer),
    );
}

/// Lets the layers of `steps` derive what they want; `prepared` is their part of the buffer.
fn prepare_steps<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    range: Range<usize>,
    prepared: &mut [N::Scalar],
    timer: Timer<'_>,
) {
    struct Prepare<'a, T> {
        range: Range<usize>,
        steps: &'a [Step],
        layout: &'a Layout,
        parameters: &'a [T],
        prepared: &'a mut [T],
        timer: Timer<'a>,
    }
    impl<T: Float> Visitor<T> for Prepare<'_, T> {
        fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
            if !self.range.contains(&index) {
                return;
            }
            let step = &self.steps[index];
            let parameters = &self.parameters[step.offset..][..step.plan.parameter_count()];
            let origin = self.layout.prepared(self.range.start).start;
            let own = self.layout.prepared(index);
            let prepared = &mut self.prepared[own.start - origin..own.end - origin];
            if !prepared.is_empty() {
                self.timer.time(Place::Step(index, Work::Prepare), || {
                    layer.prepare(&step.plan, parameters, prepared);
                });
            }
        }
    }
    N::visit(&mut Prepare {
        range,
        steps: layout.steps(),
        layout,
        parameters,
        prepared,
        timer,
    });
}
