//! Recurrent layers: simple, gated (GRU), long short-term memory, and both directions at once.
//!
//! Weights of all gates lie side by side in the columns of one matrix, in the order of Keras: GRU `z, r, h`; LSTM `i, f, c, o`.

use super::TWO;
use super::conv::zero;
use super::pointwise::rate_fault;
use crate::{Fault, Fill, Item, Plan, Rule, Shape, Size};

/// What a recurrent layer passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// The state after the last valid step: one vector a sample.
    Last,
    /// The state after every step; a padded step repeats the last valid one.
    Sequence,
}

macro_rules! recurrent {
    ($(#[$doc:meta])* $layer:ident, $name:literal, $gates:literal $(, $reset:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $layer {
            /// Numbers of the state.
            pub units: Size,
            /// What is passed on.
            pub returns: Returns,
            /// The share of inputs zeroed while training, the same for all steps of a sample.
            pub dropout: f64,
            /// Whether it reads from the last valid step to the first; what it passes on stays in the order of time.
            pub reverse: bool,
            $(
            /// Whether the reset gate acts after the recurrent product (as in the frameworks) or before it (as in
            /// the paper).
            pub $reset: bool,
            )?
        }

        impl $layer {
            /// A state of `units` numbers; passes on the last step.
            #[must_use]
            pub const fn new(units: usize) -> Self {
                Self {
                    units: Size::Known(units),
                    returns: Returns::Last,
                    dropout: 0.0,
                    reverse: false,
                    $($reset: true,)?
                }
            }

            /// What is passed on: the last step or every step.
            #[must_use]
            pub const fn returns(mut self, returns: Returns) -> Self {
                self.returns = returns;
                self
            }

            /// The share of inputs zeroed while training, the same for all steps of a sample.
            #[must_use]
            pub const fn dropout(mut self, rate: f64) -> Self {
                self.dropout = rate;
                self
            }

            /// Whether it reads from the last valid step to the first. Its last step is then the first in time.
            #[must_use]
            pub const fn reverse(mut self, reverse: bool) -> Self {
                self.reverse = reverse;
                self
            }

            $(
            /// Whether the reset gate acts after the recurrent product; `false` is the form of Cho et al. (2014).
            #[must_use]
            pub const fn $reset(mut self, after: bool) -> Self {
                self.$reset = after;
                self
            }
            )?

            /// Gates, each with a product of its own.
            pub const GATES: usize = $gates;

            /// The size of the state and what else all recurrent layers have in common.
            const fn common(&self) -> Common {
                Common {
                    name: $name,
                    gates: Size::Known($gates),
                    units: self.units,
                    returns: self.returns,
                    dropout: self.dropout,
                    reverse: self.reverse,
                }
            }
        }
    };
}

recurrent! {
    /// `h' = tanh(x·W + h·U + b)` (Elman, 1990).
    ///
    /// Input `Sequence<Vector<N>>`; weight `[N, units]`, recurrent_weight `[units, units]`, bias `[units]`.
    SimpleRnn, "SimpleRnn", 1
}
recurrent! {
    /// The gated recurrent unit (Cho et al., 2014): `z = σ(…)`, `r = σ(…)`, `c = tanh(…)`, `h' = z⊙h + (1 − z)⊙c`.
    ///
    /// The candidate is `c = tanh(x·W + b + r⊙(h·U + d))`, and `tanh(x·W + (r⊙h)·U + b)` with `reset_after: false`.
    /// Input `Sequence<Vector<N>>`; weight `[N, 3·units]`, recurrent_weight `[units, 3·units]`, bias `[2, 3·units]`
    /// (of the inputs, of the state) or `[3·units]`.
    Gru, "Gru", 3, reset_after
}
recurrent! {
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997; Gers et al., 2000): `c' = f⊙c + i⊙g`, `h' = o⊙tanh c'`.
    ///
    /// Input `Sequence<Vector<N>>`; weight `[N, 4·units]`, recurrent_weight `[units, 4·units]`, bias `[4·units]`, one
    /// for the forget gate in a new network.
    Lstm, "Lstm", 4
}

impl SimpleRnn {
    /// The shape rule; nothing but the states is saved.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let units = self.units;
        let plan = match self.common().plan(input) {
            Ok(plan) => plan,
            Err(fault) => return Plan::fault(input, fault),
        };
        plan.offset("bias", &[units], Fill::Zeros)
            .saves(units, units)
            .carries(units)
    }
}

impl Gru {
    /// The shape rule; saved are the states and, a step, three gates and the candidate's recurrent part.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let units = self.units;
        let plan = match self.common().plan(input) {
            Ok(plan) => plan,
            Err(fault) => return Plan::fault(input, fault),
        };
        let three = units.times(Size::Known(3));
        let plan = if self.reset_after {
            plan.offset("bias", &[TWO, three], Fill::Zeros)
        } else {
            plan.offset("bias", &[three], Fill::Zeros)
        };
        plan.saves(units.times(Size::Known(5)), units)
            .carries(units)
    }
}

impl Lstm {
    /// The shape rule; saved are states and cells and, a step, four gates and the cell's tanh.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let units = self.units;
        let plan = match self.common().plan(input) {
            Ok(plan) => plan,
            Err(fault) => return Plan::fault(input, fault),
        };
        let forget = Fill::ZerosAndOnes {
            start: units.get_or(0),
            end: units.times(TWO).get_or(0),
        };
        plan.offset("bias", &[units.times(Size::Known(4))], forget)
            .saves(units.times(Size::Known(7)), units.times(TWO))
            .carries(units.times(TWO))
    }
}

struct Common {
    name: &'static str,
    gates: Size,
    units: Size,
    returns: Returns,
    dropout: f64,
    reverse: bool,
}

impl Common {
    const fn plan(&self, input: Shape) -> Result<Plan, Fault> {
        if self.units.is(0) {
            match zero(self.name, "units", input).fault {
                Some(fault) => return Err(fault),
                None => unreachable!(),
            }
        }
        if let Some(fault) = rate_fault(self.name, "dropout", self.dropout, input) {
            return Err(fault);
        }
        if !input.is_unknown() {
            if !input.is_vector_like() {
                let rule = Rule::Kind {
                    takes: crate::fault::STEPS,
                };
                return Err(Fault::new(self.name, rule, input));
            }
            if !input.sequence {
                return Err(Fault::new(self.name, Rule::NeedsSequence, input));
            }
        }
        let (units, features) = (self.units, input.features());
        let columns = units.times(self.gates);
        let output = Shape {
            item: Item::Vector(units),
            sequence: matches!(self.returns, Returns::Sequence),
        };
        let glorot = Fill::Glorot {
            fan_in: features.get_or(1),
            fan_out: columns.get_or(1),
        };
        // Nothing can be computed of a step before the last one is there.
        let plan = if self.reverse {
            Plan::yields(input, output)
        } else {
            Plan::stepwise(input, output)
        };
        Ok(plan
            .parameter("weight", &[features, columns], glorot)
            .parameter("recurrent_weight", &[units, columns], Fill::Orthogonal)
            .costs(features.plus(units).times(columns).times(TWO)))
    }
}

/// Any one of the recurrent layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recurrent {
    /// A simple recurrent layer.
    SimpleRnn(SimpleRnn),
    /// A GRU.
    Gru(Gru),
    /// An LSTM.
    Lstm(Lstm),
}

impl Recurrent {
    /// The shape rule of the layer within.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        match self {
            Self::SimpleRnn(layer) => layer.plan(input),
            Self::Gru(layer) => layer.plan(input),
            Self::Lstm(layer) => layer.plan(input),
        }
    }
}

/// How [`Bidirectional`] joins its two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Side by side: twice the features, forward first.
    Concat,
    /// Added.
    Sum,
}

/// A recurrent layer and a second one of its kind that reads the sequence from its last valid step (Schuster and Paliwal, 1997).
///
/// Parameters are those of the layer within, twice: `weight`, …, `bias`, then `reverse_weight`, …, `reverse_bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bidirectional {
    /// The layer of each direction.
    pub layer: Recurrent,
    /// How the two are joined.
    pub merge: Merge,
}

const REVERSE: [&str; 3] = ["reverse_weight", "reverse_recurrent_weight", "reverse_bias"];

impl Bidirectional {
    /// Both directions of `layer`, side by side.
    #[must_use]
    pub const fn new(layer: Recurrent) -> Self {
        Self {
            layer,
            merge: Merge::Concat,
        }
    }

    /// How the two are joined.
    #[must_use]
    pub const fn merge(mut self, merge: Merge) -> Self {
        self.merge = merge;
        self
    }

    /// The shape rule.
    ///
    /// Saved is what each direction saves, then the output of each, a row or a sample as `returns` says.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let one = self.layer.plan(input);
        if one.fault.is_some() {
            return one;
        }
        let units = one.output.features();
        let features = match self.merge {
            Merge::Concat => units.times(TWO),
            Merge::Sum => units,
        };
        let output = one.output.with_item(Item::Vector(features));
        let mut plan = Plan::yields(input, output).costs(Size::Known(one.flops).times(TWO));
        let mut direction = 0;
        while direction < 2 {
            let mut i = 0;
            while i < one.tensors().len() {
                let tensor = one.tensors()[i];
                let mut sizes = [Size::Known(0); 4];
                let mut axis = 0;
                while axis < tensor.sizes().len() {
                    sizes[axis] = Size::Known(tensor.sizes()[axis]);
                    axis += 1;
                }
                let (sizes, _) = sizes.split_at(tensor.sizes().len());
                let name = if direction == 0 {
                    tensor.name
                } else {
                    REVERSE[i]
                };
                plan = if tensor.decays {
                    plan.parameter(name, sizes, tensor.fill)
                } else {
                    plan.offset(name, sizes, tensor.fill)
                };
                i += 1;
            }
            direction += 1;
        }
        let outputs = units.times(TWO);
        let (row, sample) = if one.output.sequence {
            (outputs, Size::Known(0))
        } else {
            (Size::Known(0), outputs)
        };
        plan.saves(
            Size::Known(one.saved.per_row).times(TWO).plus(row),
            Size::Known(one.saved.per_sample).times(TWO).plus(sample),
        )
    }
}
