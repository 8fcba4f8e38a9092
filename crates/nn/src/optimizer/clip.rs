//! Bounds on the gradient, against the rare step that would throw the parameters far off (Pascanu et al., 2013).

use plywood_kernels::Float;

/// How a gradient is bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// The gradient of all parameters together is scaled down to this Euclidean norm where it is longer.
    Norm(f64),
    /// Every component is brought between `±value`.
    Value(f64),
}

impl Clip {
    /// What a gradient of Euclidean norm `norm` is multiplied by: `min(1, bound / (norm + 10⁻⁶))`, as in PyTorch.
    ///
    /// Clipping by value multiplies by 1.
    #[must_use]
    pub fn scale(self, norm: f64) -> f64 {
        match self {
            Self::Norm(bound) => (bound / (norm + 1e-6)).min(1.0),
            Self::Value(_) => 1.0,
        }
    }
}

/// Scales and bounds `gradient` if `clip` is by value; gives the factor that is left to be applied.
pub(super) fn bounded<T: Float>(clip: Option<Clip>, scale: f64, gradient: &mut [T]) -> f64 {
    let Some(Clip::Value(bound)) = clip else {
        return scale;
    };
    let (scale, bound) = (T::from_f64(scale), T::from_f64(bound));
    for g in gradient {
        let scaled = *g * scale;
        // Not `max` and `min`, which would turn a NaN into a bound and hide it.
        *g = if scaled > bound {
            bound
        } else if scaled < -bound {
            -bound
        } else {
            scaled
        };
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::{Clip, bounded};

    #[test]
    fn a_long_gradient_is_scaled_down_and_a_short_one_left_alone() {
        assert_eq!(Clip::Norm(1.0).scale(0.25), 1.0);
        assert!((Clip::Norm(1.0).scale(4.0) - 0.25).abs() < 1e-6);
        assert!(Clip::Norm(1.0).scale(4.0) < 0.25);
        assert_eq!(Clip::Norm(3.0).scale(0.0), 1.0);
        assert_eq!(Clip::Value(1.0).scale(4.0), 1.0);
    }

    #[test]
    fn clipping_by_value_bounds_each_component_after_scaling() {
        let mut gradient = [0.5, 3.0, -8.0, f64::NAN, 0.0];
        assert_eq!(bounded(Some(Clip::Value(1.0)), 0.5, &mut gradient), 1.0);
        assert_eq!(gradient[..3], [0.25, 1.0, -1.0]);
        assert!(gradient[3].is_nan() && gradient[4] == 0.0);
        assert_eq!(bounded(Some(Clip::Norm(1.0)), 0.5, &mut gradient), 0.5);
        assert_eq!(gradient[..3], [0.25, 1.0, -1.0]);
    }
}
