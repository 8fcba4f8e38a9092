//! The table that gives every token a vector.

use super::conv::zero;
use crate::{Fault, Fill, Item, Plan, Rule, Shape, Size};

/// Row `token` of a trained table.
///
/// Input `Token<V>` or `Sequence<Token<V>>`, output `Vector<features>` a token, weight `[V, features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// Numbers a token.
    pub features: Size,
}

impl Embedding {
    /// `features` numbers a token, filled uniformly between ±0.05 as in Keras.
    #[must_use]
    pub const fn new(features: usize) -> Self {
        Self {
            features: Size::Known(features),
        }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if self.features.is(0) {
            return zero("Embedding", "features", input);
        }
        let vocabulary = match input.item {
            Item::Token(vocabulary) => vocabulary,
            Item::Unknown => Size::Unknown,
            _ => {
                let rule = Rule::Kind { takes: "a Token" };
                return Plan::fault(input, Fault::new("Embedding", rule, input));
            }
        };
        Plan::stepwise(input, input.with_item(Item::Vector(self.features)))
            .parameter(
                "weight",
                &[vocabulary, self.features],
                Fill::Uniform { bound: 0.05 },
            )
            .scatters()
    }
}
