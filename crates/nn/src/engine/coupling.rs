//! Where all blocks of a batch meet: merging statistics at the end of a segment.

use crate::arena::Arena;
use crate::layer::Layer;
use crate::network::{Network, Step, Visitor};
use crate::run::Layout;
use plywood_kernels::{AlignedVec, Float};
use std::sync::Mutex;

/// The coupled step that begins segment `segment`, which is not the first.
pub(crate) fn coupled_step(steps: &[Step], segment: usize) -> usize {
    steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.plan.coupling > 0)
        .nth(segment - 1)
        .map(|(index, _)| index)
        .expect("every segment but the first begins with a coupled step")
}

/// Merges the statistics that the blocks took for `step`, in order of the blocks.
pub(super) fn merge_statistics<N: Network>(
    step: usize,
    layout: &Layout,
    arenas: &mut [Mutex<Arena<N::Scalar>>],
    shared: &mut AlignedVec<N::Scalar>,
) {
    struct Merge<'a, T: Float> {
        step: usize,
        steps: &'static [Step],
        layout: &'a Layout,
        arenas: &'a mut [Mutex<Arena<T>>],
        shared: &'a mut [T],
    }
    impl<T: Float> Visitor<T> for Merge<'_, T> {
        fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
            if index != self.step {
                return;
            }
            let plan = &self.steps[index].plan;
            let range = self.layout.partials(index, plan);
            let shared = &mut self.shared[range.clone()];
            for (block, arena) in self.arenas.iter_mut().enumerate() {
                let partial = &arena_of(arena).partials()[range.clone()];
                if block == 0 {
                    shared.copy_from_slice(partial);
                } else {
                    layer.merge(plan, shared, partial);
                }
            }
        }
    }
    N::visit(
        0,
        &mut Merge {
            step,
            steps: N::STEPS,
            layout,
            arenas,
            shared,
        },
    );
}

/// Adds up what the blocks took for the input gradient of `step`, in order of the blocks.
pub(super) fn add_gradients<N: Network>(
    step: usize,
    layout: &Layout,
    arenas: &mut [Mutex<Arena<N::Scalar>>],
    shared: &mut AlignedVec<N::Scalar>,
) {
    let range = layout.partials(step, &N::STEPS[step].plan);
    let shared = &mut shared[range.clone()];
    shared.fill(N::Scalar::ZERO);
    for arena in arenas {
        let partial = &arena_of(arena).partials()[range.clone()];
        for (sum, value) in shared.iter_mut().zip(partial) {
            *sum += *value;
        }
    }
}

/// Lets the running state of all coupled steps follow the batch.
pub(super) fn absorb<N: Network>(layout: &Layout, shared: &[N::Scalar], state: &mut [N::Scalar]) {
    struct Absorb<'a, T> {
        steps: &'static [Step],
        layout: &'a Layout,
        shared: &'a [T],
        state: &'a mut [T],
    }
    impl<T: Float> Visitor<T> for Absorb<'_, T> {
        fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
            let step = &self.steps[index];
            let state = &mut self.state[step.state_offset..][..step.plan.state_count()];
            let shared = &self.shared[self.layout.partials(index, &step.plan)];
            if !shared.is_empty() {
                layer.absorb(&step.plan, shared, state);
            }
        }
    }
    N::visit(
        0,
        &mut Absorb {
            steps: N::STEPS,
            layout,
            shared,
            state,
        },
    );
}

fn arena_of<T: Float>(arena: &mut Mutex<Arena<T>>) -> &Arena<T> {
    arena
        .get_mut()
        .expect("a block that panicked ended the step")
}
