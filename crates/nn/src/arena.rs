//! The memory of one block: activations, what is saved beside them, and the gradient on its way back.
//!
//! Everything is laid out from the plans of the network's steps; a number's place is a build-time constant times the
//! rows of the block. An arena is made once and used for every block, so a steady-state step allocates nothing.

use crate::network::Step;
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::Rows;

/// Every buffer starts at a multiple of this many numbers.
const ALIGNMENT: usize = 16;

/// What an arena is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Forward and backward over whole sequences.
    Training,
    /// Forward over whole sequences.
    Inference,
    /// Forward over sequences that come in pieces: layers carry on from one pass to the next.
    Pieces,
}

/// The memory of one block of at most so many rows.
#[derive(Debug)]
pub struct Arena<T: Float> {
    values: AlignedVec<T>,
    bytes: Vec<u8>,
    /// What layers carry from one pass to the next; nothing where sequences come whole.
    carried: AlignedVec<T>,
    purpose: Purpose,
    gradients: [AlignedVec<T>; 2],
    /// Which of the two holds the current gradient.
    flipped: bool,
    scratch: AlignedVec<T>,
    partials: AlignedVec<T>,
}

/// An arena cut up for a block: its values in order of the steps, its gradients, its scratch space.
#[derive(Debug)]
pub struct Carved<'a, T: Float> {
    rows: Rows,
    purpose: Purpose,
    values: &'a mut [T],
    bytes: &'a mut [u8],
    carried: &'a mut [T],
    /// Two buffers, and which of them holds the current gradient; `None` once they are taken.
    gradients: Option<(&'a mut [AlignedVec<T>; 2], &'a mut bool)>,
    /// Scratch space, shared by all steps.
    pub scratch: &'a mut [T],
    /// Statistics of this block, for layers that couple samples.
    pub partials: &'a mut [T],
}

/// What one step writes in a block.
#[derive(Debug)]
pub struct Slot<'a, T> {
    /// The output.
    pub value: &'a mut [T],
    /// What is saved beside it.
    pub saved: &'a mut [T],
    /// Bytes saved beside it.
    pub bytes: &'a mut [u8],
    /// What is carried from one pass to the next; empty where sequences come whole.
    pub carried: &'a mut [T],
}

/// The gradient on its way back, in one of two buffers that take turns.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    /// The gradient of the output of the step whose turn it is.
    pub current: &'a mut [T],
    /// Where the gradient of its input goes.
    pub next: &'a mut [T],
    flipped: &'a mut bool,
}

impl<T: Float> Arena<T> {
    /// An arena for blocks of at most `rows`, with what `purpose` needs.
    #[must_use]
    pub fn new(steps: &[Step], rows: Rows, scratch: usize, purpose: Purpose) -> Self {
        let mut values = 0;
        let mut bytes = 0;
        let mut carried = 0;
        let mut widest = steps.first().map_or(0, |step| {
            step.plan.input.elements().get() * rows.of(step.plan.input)
        });
        let mut partials = 0;
        for step in steps {
            let sizes = Sizes::of(step, rows, purpose);
            values += sizes.values();
            bytes += sizes.bytes;
            carried += sizes.carried.next_multiple_of(ALIGNMENT);
            widest = widest.max(sizes.value);
            partials += step.plan.coupling;
        }
        let gradient = if purpose == Purpose::Training {
            widest
        } else {
            0
        };
        Self {
            values: AlignedVec::zeroed(values),
            bytes: vec![0; bytes],
            carried: AlignedVec::zeroed(carried),
            purpose,
            gradients: [AlignedVec::zeroed(gradient), AlignedVec::zeroed(gradient)],
            flipped: false,
            scratch: AlignedVec::zeroed(scratch),
            partials: AlignedVec::zeroed(partials),
        }
    }

    /// The arena cut up for a block of `rows`.
    pub fn carve(&mut self, rows: Rows) -> Carved<'_, T> {
        Carved {
            rows,
            purpose: self.purpose,
            values: &mut self.values,
            bytes: &mut self.bytes,
            carried: &mut self.carried,
            gradients: Some((&mut self.gradients, &mut self.flipped)),
            scratch: &mut self.scratch,
            partials: &mut self.partials,
        }
    }

    /// The output of the last of `steps`, and where its gradient is to be written before the way back.
    pub fn output(&mut self, steps: &[Step], rows: Rows) -> (&[T], &mut [T]) {
        self.flipped = false;
        let mut carved = self.carve(rows);
        let mut output: &mut [T] = &mut [];
        for step in steps {
            output = carved.take(step).value;
        }
        let gradient = carved.gradients().current;
        let len = output.len().min(gradient.len());
        (output, &mut gradient[..len])
    }

    /// After the way back with the input's gradient asked for: that gradient.
    #[must_use]
    pub fn input_gradient(&self, len: usize) -> &[T] {
        &self.gradients[usize::from(self.flipped)][..len]
    }

    /// Forgets what layers carried: the next pass begins sequences.
    pub fn restart(&mut self) {
        self.carried.fill(T::ZERO);
    }

    /// Forgets it of sample `n` of passes over `rows` alone.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn restart_sample(&mut self, steps: &[Step], rows: Rows, n: usize) {
        let mut carved = self.carve(rows);
        for step in steps {
            let len = step.plan.carried;
            let carried = carved.take(step).carried;
            if !carried.is_empty() {
                carried[n * len..][..len].fill(T::ZERO);
            }
        }
    }

    /// The statistics of the block last run, of all coupled layers one after the other.
    #[must_use]
    pub fn partials(&self) -> &[T] {
        &self.partials
    }
}

impl<'a, T: Float> Carved<'a, T> {
    /// The buffers of the next step. Steps take theirs in the order of the list.
    pub fn take(&mut self, step: &Step) -> Slot<'a, T> {
        let sizes = Sizes::of(step, self.rows, self.purpose);
        Slot {
            value: cut(&mut self.values, sizes.value, ALIGNMENT),
            saved: cut(&mut self.values, sizes.saved, ALIGNMENT),
            bytes: cut(&mut self.bytes, sizes.bytes, 1),
            carried: cut(&mut self.carried, sizes.carried, ALIGNMENT),
        }
    }

    /// The buffers of the next steps, for passes over them alone.
    pub fn part(&mut self, steps: &[Step]) -> Carved<'_, T> {
        let (mut values, mut bytes, mut carried) = (0, 0, 0);
        for step in steps {
            let sizes = Sizes::of(step, self.rows, self.purpose);
            values += sizes.values();
            bytes += sizes.bytes;
            carried += sizes.carried.next_multiple_of(ALIGNMENT);
        }
        Carved {
            values: cut(&mut self.values, values, 1),
            bytes: cut(&mut self.bytes, bytes, 1),
            carried: cut(&mut self.carried, carried, 1),
            ..self.again()
        }
    }

    /// The same, for one of several passes.
    pub fn again(&mut self) -> Carved<'_, T> {
        let gradients = self.gradients.as_mut();
        Carved {
            rows: self.rows,
            purpose: self.purpose,
            values: &mut *self.values,
            bytes: &mut *self.bytes,
            carried: &mut *self.carried,
            gradients: gradients.map(|(buffers, flipped)| (&mut **buffers, &mut **flipped)),
            scratch: &mut *self.scratch,
            partials: &mut *self.partials,
        }
    }

    /// The two gradient buffers.
    ///
    /// # Panics
    /// If they were taken before.
    pub fn gradients(&mut self) -> Gradients<'a, T> {
        let ([first, second], flipped) =
            self.gradients.take().expect("the gradients are taken once");
        let (current, next) = if *flipped {
            (second, first)
        } else {
            (first, second)
        };
        Gradients {
            current,
            next,
            flipped,
        }
    }
}

impl<T> Gradients<'_, T> {
    /// What was the input's gradient becomes the output's gradient of the step before.
    pub fn flip(&mut self) {
        std::mem::swap(&mut self.current, &mut self.next);
        *self.flipped = !*self.flipped;
    }
}

struct Sizes {
    value: usize,
    saved: usize,
    bytes: usize,
    carried: usize,
}

impl Sizes {
    fn of(step: &Step, rows: Rows, purpose: Purpose) -> Self {
        let plan = &step.plan;
        let input_rows = rows.of(plan.input);
        let carrying = if purpose == Purpose::Pieces {
            rows.samples
        } else {
            0
        };
        Self {
            value: plan.output.elements().get() * rows.of(plan.output),
            saved: plan.saved.len(input_rows, rows.samples),
            bytes: plan.saved_bytes.len(input_rows, rows.samples),
            carried: plan.carried * carrying,
        }
    }

    /// Numbers of the output and of what is saved, gaps of alignment included.
    fn values(&self) -> usize {
        self.value.next_multiple_of(ALIGNMENT) + self.saved.next_multiple_of(ALIGNMENT)
    }
}

/// Takes `len` elements off the front of `rest`, which then starts at the next multiple of `alignment`.
pub(crate) fn cut<'a, E>(rest: &mut &'a mut [E], len: usize, alignment: usize) -> &'a mut [E] {
    let (taken, left) = std::mem::take(rest).split_at_mut(len.next_multiple_of(alignment));
    *rest = left;
    &mut taken[..len]
}
