//! Both directions of a recurrent layer, joined side by side or added.

use super::recurrent::{Direction, DirectionFlow, ONE, Own};
use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::Float;
use plywood_shape::layers::{Bidirectional, Merge};
use plywood_shape::{Plan, Rows};

/// The two directions over a block.
fn directions(layer: &Bidirectional, plan: &Plan, rows: Rows) -> [Direction; 2] {
    [false, true].map(|reverse| Direction::of(layer.layer, plan, rows, reverse))
}

/// The memory of one direction.
fn part<'a, T>(saved: &'a mut [T], scratch: &'a mut [T]) -> Memory<'a, T> {
    Memory {
        saved,
        bytes: &mut [],
        carried: &mut [],
        scratch,
    }
}

/// Numbers of scratch beside the directions' own: the gradient of the inputs of the second.
fn input_len(plan: &Plan, rows: Rows) -> usize {
    plan.input.elements().get() * rows.of(plan.input)
}

impl<T: Float> Layer<T> for Bidirectional {
    fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
        directions(self, plan, rows)[0].scratch_len() + input_len(plan, rows)
    }

    fn prepared_len(&self, plan: &Plan) -> usize {
        2 * directions(self, plan, ONE)[0].prepared_len()
    }

    fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
        let [one, other] = directions(self, plan, ONE);
        let (parameters, reverse) = parameters.split_at(parameters.len() / 2);
        let (ahead, back) = prepared.split_at_mut(one.prepared_len());
        one.prepare(parameters, ahead);
        other.prepare(reverse, back);
    }

    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let Memory { saved, scratch, .. } = memory;
        let [one, other] = directions(self, pass.plan, pass.rows);
        let (ahead, rest) = saved.split_at_mut(one.saved_len());
        let back = &mut rest[..other.saved_len()];
        let (parameters, reverse) = pass.parameters.split_at(pass.parameters.len() / 2);
        let (prepared, reverse_prepared) = pass.prepared.split_at(one.prepared_len());
        let own = Own {
            parameters,
            prepared,
        };
        one.forward(pass, own, x, part(&mut *ahead, &mut *scratch));
        let own = Own {
            parameters: reverse,
            prepared: reverse_prepared,
        };
        other.forward(pass, own, x, part(&mut *back, scratch));
        let units = one.units();
        let outputs = one.output(ahead).chunks_exact(units);
        let outputs = outputs.zip(other.output(back).chunks_exact(units));
        match self.merge {
            Merge::Concat => {
                for (y, (ahead, back)) in y.chunks_exact_mut(2 * units).zip(outputs) {
                    y[..units].copy_from_slice(ahead);
                    y[units..].copy_from_slice(back);
                }
            }
            Merge::Sum => {
                for (y, (ahead, back)) in y.chunks_exact_mut(units).zip(outputs) {
                    for ((y, ahead), back) in y.iter_mut().zip(ahead).zip(back) {
                        *y = *ahead + *back;
                    }
                }
            }
        }
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let [one, other] = directions(self, pass.plan, pass.rows);
        let units = one.units();
        let (row_stride, second) = match self.merge {
            Merge::Concat => (2 * units, units),
            Merge::Sum => (units, 0),
        };
        let (ahead, rest) = memory.saved.split_at_mut(one.saved_len());
        let back = &mut rest[..other.saved_len()];
        let (dropped_dx, scratch) = memory.scratch.split_at_mut(input_len(pass.plan, pass.rows));
        let (parameters, reverse) = pass.parameters.split_at(pass.parameters.len() / 2);
        let (gradient, reverse_gradient) = flow.gradient.split_at_mut(parameters.len());
        let mut dx = flow.dx;
        let first = DirectionFlow {
            x: flow.x,
            dy: &*flow.dy,
            row_stride,
            dx: dx.as_deref_mut(),
            gradient,
        };
        one.backward(pass, parameters, first, part(ahead, &mut *scratch));
        let reversed = DirectionFlow {
            x: flow.x,
            dy: &flow.dy[second.min(flow.dy.len())..],
            row_stride,
            dx: dx.is_some().then_some(&mut *dropped_dx),
            gradient: reverse_gradient,
        };
        other.backward(pass, reverse, reversed, part(back, scratch));
        if let Some(dx) = dx {
            plywood_kernels::elementwise::add_assign(dx, dropped_dx);
        }
    }
}
