//! Which layers are computed as one: convolution, product or batch normalisation with its activation, convolution or product with a
//! function of the user's, and a max-pool behind a convolution or, if its windows lie side by side, behind a batch normalisation.
//!
//! The pool is taken of activated numbers; every activation that fuses is monotone, so the place of a maximum is the
//! same before and after it. A layer that only reshapes computes nothing and joins the layer before it.

use crate::builtin::Role;
use crate::checked::CheckedLayer;
use std::ops::Range;

/// Layers that are computed as one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Their positions in the list.
    pub layers: Range<usize>,
    /// The activation that the first of them applies.
    pub activation: Option<usize>,
    /// The function of the user's behind the first of them.
    pub function: Option<usize>,
    /// The max-pool behind the first or its activation.
    pub pool: Option<usize>,
}

impl Group {
    /// Whether the first layer computes alone.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.activation.is_none() && self.function.is_none() && self.pool.is_none()
    }
}

/// Cuts layers that follow each other in a list, at positions `run`, into groups, in order.
#[must_use]
pub fn fuse(layers: &[CheckedLayer<'_>], run: Range<usize>) -> Vec<Group> {
    let roles: Vec<Role> = layers[..run.end].iter().map(|layer| layer.role).collect();
    groups(&roles, run.start)
}

fn groups(roles: &[Role], mut next: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    while next < roles.len() {
        let group = group(roles, next);
        next = group.layers.end;
        groups.push(group);
    }
    groups
}

fn group(roles: &[Role], first: usize) -> Group {
    let mut end = first + 1;
    let mut take = |fitting: &[Role]| {
        let taken = roles.get(end).is_some_and(|role| fitting.contains(role));
        end += usize::from(taken);
        taken.then(|| end - 1)
    };
    let role = roles[first];
    let activation = match role {
        Role::Convolution | Role::Product | Role::Coupled => take(&[Role::Activation]),
        _ => None,
    };
    let function = match role {
        Role::Convolution | Role::Product if activation.is_none() => take(&[Role::Function]),
        _ => None,
    };
    let pool = match role {
        _ if function.is_some() => None,
        Role::Convolution => take(&[Role::MaxPool, Role::TilingPool]),
        Role::Coupled => take(&[Role::TilingPool]),
        _ => None,
    };
    while take(&[Role::Reshape]).is_some() {}
    Group {
        layers: first..end,
        activation,
        function,
        pool,
    }
}

#[cfg(test)]
mod tests {
    use super::groups;
    use crate::builtin::Role::{self, *};

    fn cut(roles: &[Role]) -> Vec<std::ops::Range<usize>> {
        groups(roles, 0)
            .into_iter()
            .map(|group| group.layers)
            .collect()
    }

    #[test]
    fn the_chapters_network_takes_five_steps() {
        let cnn = [
            Convolution,
            Activation,
            TilingPool,
            Convolution,
            Activation,
            MaxPool,
            Convolution,
            Activation,
            Reshape,
            Product,
            Activation,
            Product,
        ];
        assert_eq!(cut(&cnn), [0..3, 3..6, 6..9, 9..11, 11..12]);
    }

    #[test]
    fn only_what_stands_directly_behind_is_fused() {
        assert_eq!(
            cut(&[Convolution, Coupled, Plain, Activation]),
            [0..1, 1..2, 2..3, 3..4]
        );
        assert_eq!(cut(&[Product, Activation, Activation]), [0..2, 2..3]);
        assert_eq!(cut(&[Product, MaxPool]), [0..1, 1..2]);
        assert_eq!(cut(&[Product, Reshape, Activation]), [0..2, 2..3]);
        assert_eq!(cut(&[Convolution, MaxPool, Activation]), [0..2, 2..3]);
    }

    #[test]
    fn a_function_of_the_users_ends_what_is_fused() {
        assert_eq!(cut(&[Convolution, Function, MaxPool]), [0..2, 2..3]);
        assert_eq!(cut(&[Product, Function, Reshape, Product]), [0..3, 3..4]);
        assert_eq!(cut(&[Product, Activation, Function]), [0..2, 2..3]);
        assert_eq!(cut(&[Coupled, Function]), [0..1, 1..2]);
    }

    #[test]
    fn a_batch_norm_takes_activation_and_pool() {
        let block = [Convolution, Coupled, Activation, TilingPool, Reshape];
        assert_eq!(cut(&block), [0..1, 1..5]);
        assert_eq!(cut(&[Coupled, TilingPool, Product]), [0..2, 2..3]);
        assert_eq!(cut(&[Coupled, Activation, MaxPool]), [0..2, 2..3]);
    }

    #[test]
    fn a_leading_reshape_is_a_step() {
        assert_eq!(cut(&[Reshape, Product]), [0..1, 1..2]);
        assert_eq!(cut(&[Reshape, Activation]), [0..1, 1..2]);
    }
}
