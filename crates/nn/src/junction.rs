//! Where several lists of layers come together again: `Residual`, `Add`, `Concat`, `Inputs`, `Outputs`.
//!
//! ```text
//! forward     y = x₀ + x₁ + …   or   [x₀ | x₁ | …]          x_b: what list b makes of the input x, or x itself
//! backward    keep dy; for each list with steps, last first: its part of dy, the way back through it, add to the sum
//!             dx = the sum, and the parts of the lists that are x itself
//! ```
//!
//! A junction is a step among the others: generated code calls it where a block ends, and on the way back before, between and
//! after the lists. The gradient of its output and the sum of the lists' input gradients lie in what its plan saves.

use crate::arena::Slot;
use crate::engine::{Place, Work};
use crate::layer::{Flow, Layer, Memory, Pass};
use crate::run::{Back, Run};
use plywood_autograd::ops::join::SideBySide;
use plywood_kernels::{Float, elementwise};
use plywood_shape::layers::{Axis, Join};
use plywood_shape::{Item, Shape};

/// The end of a block: how its lists are joined, and which step each of them ends in.
#[derive(Clone, Copy, Debug)]
pub struct Junction {
    /// How outputs become one.
    pub join: Join,
    /// The last step of each list; `None` for a list without steps, which is the input of the block.
    pub ends: &'static [Option<usize>],
}

/// Seen as a layer, a junction is that of one list: it passes on what it reads.
impl<T: Float> Layer<T> for Junction {
    fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        y.copy_from_slice(x);
    }

    fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
        }
    }
}

impl<T: Float> Run<'_, T> {
    /// Joins the outputs of the lists of a block, in order: step `index`.
    pub fn join(
        &self,
        index: usize,
        junction: &Junction,
        outputs: &[&[T]],
        slot: &mut Slot<'_, T>,
    ) {
        let index = self.first + index;
        self.timer.time(Place::Step(index, Work::Forward), || {
            let lens = outputs.iter().enumerate();
            let outputs = lens.map(|(list, x)| &x[..self.numbers(self.end(index, junction, list))]);
            let y = &mut *slot.value;
            let Some(axis) = junction.join.axis() else {
                for (list, x) in outputs.enumerate() {
                    if list == 0 {
                        y.copy_from_slice(x);
                    } else {
                        elementwise::add_assign(y, x);
                    }
                }
                return;
            };
            for (list, x) in outputs.enumerate() {
                self.place(index, junction, axis, list).forward(x, y);
            }
        });
    }

    /// The way back begins: keeps the gradient of the block's output.
    pub fn hold(&self, index: usize, slot: &mut Slot<'_, T>, back: &mut Back<'_, '_, T>) {
        let index = self.first + index;
        self.timer.time(Place::Step(index, Work::Backward), || {
            let len = slot.value.len();
            slot.saved[..len].copy_from_slice(&back.gradients.current[..len]);
        });
    }

    /// Before the way back through a list: the gradient of its output.
    pub fn enter(
        &self,
        index: usize,
        junction: &Junction,
        list: usize,
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        let index = self.first + index;
        self.timer.time(Place::Step(index, Work::Backward), || {
            let len = self.numbers(self.end(index, junction, list));
            let into = &mut back.gradients.current[..len];
            self.gradient_of(index, junction, list, slot, into);
        });
    }

    /// After the way back through a list that is not the last to go: adds the gradient of its input to those before, if there are any.
    pub fn collect(
        &self,
        index: usize,
        is_first: bool,
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        let index = self.first + index;
        self.timer.time(Place::Step(index, Work::Backward), || {
            let len = self.numbers(self.steps[index].plan.input);
            let sum = &mut slot.saved[slot.value.len()..][..len];
            let found = &back.gradients.current[..len];
            if is_first {
                sum.copy_from_slice(found);
            } else {
                elementwise::add_assign(sum, found);
            }
        });
    }

    /// The way back ends: to the gradient of the last list's input it adds those of the others, whose sum is there if they were
    /// `collected`.
    pub fn release(
        &self,
        index: usize,
        junction: &Junction,
        collected: bool,
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        let index = self.first + index;
        self.timer.time(Place::Step(index, Work::Backward), || {
            let len = self.numbers(self.steps[index].plan.input);
            let gradients = &mut back.gradients;
            let (current, part) = (&mut gradients.current[..len], &mut gradients.next[..len]);
            if collected {
                elementwise::add_assign(current, &slot.saved[slot.value.len()..][..len]);
            }
            let inputs = junction.ends.iter().enumerate();
            for (list, _) in inputs.filter(|(_, end)| end.is_none()) {
                self.gradient_of(index, junction, list, slot, part);
                elementwise::add_assign(current, part);
            }
        });
    }

    fn gradient_of(
        &self,
        index: usize,
        junction: &Junction,
        list: usize,
        slot: &Slot<'_, T>,
        into: &mut [T],
    ) {
        let dy = &slot.saved[..slot.value.len()];
        match junction.join.axis() {
            None => into.copy_from_slice(dy),
            Some(axis) => self.place(index, junction, axis, list).backward(dy, into),
        }
    }

    /// What a list of the block makes.
    fn end(&self, index: usize, junction: &Junction, list: usize) -> Shape {
        match junction.ends[list] {
            Some(step) => self.steps[self.first + step].plan.output,
            None => self.steps[index].plan.input,
        }
    }

    /// Numbers of a block of rows of such a shape.
    fn numbers(&self, shape: Shape) -> usize {
        shape.elements().get() * self.rows.of(shape)
    }

    /// Where the output of a list lies in that of the block.
    fn place(&self, index: usize, junction: &Junction, axis: Axis, list: usize) -> SideBySide {
        let output = self.steps[index].plan.output;
        let groups = groups(output, axis);
        let stretch = |shape: Shape| shape.elements().get() / groups.max(1);
        SideBySide {
            groups: groups * self.rows.of(output),
            before: (0..list)
                .map(|list| stretch(self.end(index, junction, list)))
                .sum(),
            own: stretch(self.end(index, junction, list)),
            all: stretch(output),
        }
    }
}

/// The product of the sizes before an axis, within a row.
fn groups(shape: Shape, axis: Axis) -> usize {
    match (shape.item, axis) {
        (Item::Image { height, .. }, Axis::Width) => height.get(),
        (Item::Image { height, width, .. }, Axis::Features) => height.get() * width.get(),
        _ => 1,
    }
}
