//! What the layers want to have ready, derived from the parameters after each of their changes.

use crate::arena::cut;
use crate::engine::{MOST, Place, Timer, Work, share};
use crate::layer::Layer;
use crate::network::{Network, Step, Visitor};
use crate::run::Layout;
use plywood_kernels::Float;
use plywood_shape::chain::ALIGNMENT;
use std::ops::Range;

/// Lets every layer derive what it wants from `parameters`.
pub(crate) fn prepare<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    prepared: &mut [N::Scalar],
    timer: Timer<'_>,
) {
    let steps = 0..N::STEPS.len();
    prepare_steps::<N>(layout, parameters, steps, prepared, timer);
}

/// The same on all threads of this pool, some steps on each.
pub(crate) fn prepare_in_parallel<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    prepared: &mut [N::Scalar],
    timer: Timer<'_>,
) {
    let whole = prepared.len();
    let (mut rest, mut next) = (prepared, 0);
    let parts = (1..=MOST).map(|part| {
        let start = next;
        // The steps that begin before this part of the whole ends.
        while next < N::STEPS.len() && layout.prepared(next).start < part * whole / MOST {
            next += 1;
        }
        let steps = start..next.max(start);
        let len: usize = steps.clone().map(|step| padded(layout, step)).sum();
        (cut(&mut rest, len, 1), steps)
    });
    share(parts, |_, (prepared, steps)| {
        if !steps.is_empty() {
            prepare_steps::<N>(layout, parameters, steps, prepared, timer);
        }
    });
}

/// Numbers from where a step's prepared ones start to where those of the next do.
fn padded(layout: &Layout, step: usize) -> usize {
    layout.prepared(step).len().next_multiple_of(ALIGNMENT)
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
    N::visit(
        0,
        &mut Prepare {
            range,
            steps: layout.steps(),
            layout,
            parameters,
            prepared,
            timer,
        },
    );
}
