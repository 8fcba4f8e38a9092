//! The gradient checker: analytical gradients against finite differences.
//!
//! ```text
//! L(x) = Σ rᵢ·f(x)ᵢ          r fixed, pseudo-random, so that every output counts differently
//! for every element e of every input:
//!     numerical  = (L(x + ε·e) − L(x − ε·e)) / 2ε
//!     analytical = ∂L/∂e, from one walk back over the tape
//!     |analytical − numerical| ≤ atol + rtol·|numerical|
//! ```
//!
//! In `f64` with ε = 1e-6 the difference is off by about 1e-10, far below the tolerances, which are those of PyTorch's
//! `torch.autograd.gradcheck`. Inputs must keep their distance from kinks (the 0 of a ReLU, the ties of a maximum).

use crate::tape::Tape;
use crate::var::Var;
use plywood_kernels::random::Random;
use plywood_tensor::Tensor;
use std::fmt;

/// A gradient that does not agree with the finite difference.
#[derive(Clone, PartialEq, Debug)]
pub enum GradcheckError {
    /// The two differ.
    Differs {
        /// Which input.
        input: usize,
        /// Which element of it, in row-major order.
        element: usize,
        /// The gradient from the tape.
        analytical: f64,
        /// The finite difference.
        numerical: f64,
    },
    /// Two evaluations at the same point gave different values.
    NotReproducible {
        /// Which element of the output, in row-major order.
        element: usize,
        /// The first value.
        first: f64,
        /// The second value.
        second: f64,
    },
    /// The output takes no gradient, though there are inputs: the operation lost it.
    NoGradient,
}

impl fmt::Display for GradcheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs {
                input,
                element,
                analytical,
                numerical,
            } => write!(
                f,
                "gradcheck: input {input}, element {element}: the gradient is {analytical:e}, the finite difference {numerical:e}"
            ),
            Self::NotReproducible {
                element,
                first,
                second,
            } => write!(
                f,
                "gradcheck: output element {element} was {first:e}, then {second:e} for the same inputs"
            ),
            Self::NoGradient => write!(f, "gradcheck: the output does not depend on any input"),
        }
    }
}

impl std::error::Error for GradcheckError {}

/// The step and tolerances of a gradient check.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Gradcheck {
    /// ε, how far an element is moved to either side.
    pub step: f64,
    /// Absolute tolerance.
    pub atol: f64,
    /// Tolerance relative to the finite difference.
    pub rtol: f64,
}

impl Default for Gradcheck {
    /// ε = 1e-6, atol = 1e-5, rtol = 1e-3.
    fn default() -> Self {
        Self {
            step: 1e-6,
            atol: 1e-5,
            rtol: 1e-3,
        }
    }
}

/// Checks the gradients of `function` at `inputs` with the usual step and tolerances.
///
/// ```
/// use plywood_autograd::gradcheck;
/// use plywood_tensor::Tensor;
///
/// let x = Tensor::from_vec([3], vec![0.3, -1.2, 2.0]);
/// gradcheck(&[x], |tape, vars| {
///     let x = vars[0];
///     let cube = Tensor::from_vec(x.shape(), x.value().iter().map(|x| x.powi(3)).collect());
///     tape.record(&[x], cube, |step| {
///         let slopes = step.input(0).iter().map(|x| 3.0 * x * x);
///         let dx = slopes.zip(step.output_gradient()).map(|(slope, dy)| slope * dy);
///         let dx = dx.collect();
///         step.add(0, dx);
///     })
/// })?;
/// # Ok::<(), plywood_autograd::GradcheckError>(())
/// ```
///
/// # Errors
/// The first element whose gradient disagrees.
#[track_caller]
pub fn gradcheck<F>(inputs: &[Tensor<f64>], function: F) -> Result<(), GradcheckError>
where
    F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
{
    Gradcheck::default().check(inputs, function)
}

impl Gradcheck {
    /// Checks the gradients of `function` at `inputs`.
    ///
    /// # Errors
    /// The first element whose gradient disagrees.
    #[track_caller]
    pub fn check<F>(self, inputs: &[Tensor<f64>], function: F) -> Result<(), GradcheckError>
    where
        F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    {
        let analytical = analytical(inputs, &function)?;
        let mut moved = inputs.to_vec();
        for (input, gradient) in analytical.iter().enumerate() {
            for element in 0..inputs[input].len() {
                let numerical = self.difference(&mut moved, input, element, &function);
                let analytical = gradient.data()[element];
                let is_close =
                    (analytical - numerical).abs() <= self.atol + self.rtol * numerical.abs();
                if !is_close {
                    return Err(GradcheckError::Differs {
                        input,
                        element,
                        analytical,
                        numerical,
                    });
                }
            }
        }
        Ok(())
    }

    /// The central difference of L at one element.
    #[track_caller]
    fn difference<F>(
        self,
        inputs: &mut [Tensor<f64>],
        input: usize,
        element: usize,
        function: &F,
    ) -> f64
    where
        F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    {
        let at = inputs[input].data()[element];
        let mut value = |x: f64| {
            inputs[input].data_mut()[element] = x;
            let output = evaluate(inputs, function);
            let weights = weights(output.shape());
            output
                .iter()
                .zip(weights.iter())
                .map(|(y, r)| y * r)
                .sum::<f64>()
        };
        let (above, below) = (at + self.step, at - self.step);
        let difference = (value(above) - value(below)) / (above - below);
        inputs[input].data_mut()[element] = at;
        difference
    }
}

/// The gradients of L from the tape.
#[track_caller]
fn analytical<F>(inputs: &[Tensor<f64>], function: &F) -> Result<Vec<Tensor<f64>>, GradcheckError>
where
    F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let vars: Vec<_> = inputs.iter().map(|x| tape.leaf(x.clone())).collect();
    let output = function(&tape, &vars);
    let value = output.value();
    let again = evaluate(inputs, function);
    let differing = value.iter().zip(again.iter()).enumerate();
    for (element, (first, second)) in differing {
        if first.to_bits() != second.to_bits() {
            return Err(GradcheckError::NotReproducible {
                element,
                first,
                second,
            });
        }
    }
    if !output.takes_gradient() {
        return Err(GradcheckError::NoGradient);
    }
    let mut gradients = output.backward_from(weights(value.shape()));
    Ok(vars.iter().map(|&var| gradients.take(var)).collect())
}

/// The output at `inputs`, nothing recorded.
#[track_caller]
fn evaluate<F>(inputs: &[Tensor<f64>], function: &F) -> Tensor<f64>
where
    F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let vars: Vec<_> = inputs.iter().map(|x| tape.constant(x.clone())).collect();
    Tensor::clone(&function(&tape, &vars).value())
}

/// r: uniform in [0.5, 1.5), so that no output is lost.
fn weights(shape: &[usize]) -> Tensor<f64> {
    let random = Random {
        seed: 0,
        stream: 0,
        step: 0,
    };
    let mut weights = Tensor::uniform(shape, random);
    for weight in weights.data_mut() {
        *weight += 0.5;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::{GradcheckError, gradcheck};
    use crate::{Adjoint, Tape, Var};
    use plywood_tensor::Tensor;
    use std::cell::Cell;

    /// a·b with the way back `backward`.
    fn product<'t>(
        v: &[Var<'t, f64>],
        backward: impl Fn(&mut Adjoint<'_, f64>) + 'static,
    ) -> Var<'t, f64> {
        let y = &*v[0].value() * &*v[1].value();
        v[0].tape().record(v, y, backward)
    }

    /// The gradient of one factor: dy times the other one.
    fn share(step: &Adjoint<'_, f64>, other: usize) -> Vec<f64> {
        let pairs = step.input(other).iter().zip(step.output_gradient());
        pairs.map(|(x, dy)| x * dy).collect()
    }

    fn operands() -> [Tensor<f64>; 2] {
        [
            Tensor::from_vec([3], vec![0.5, -1.0, 2.0]),
            Tensor::from_vec([3], vec![3.0, 0.25, -0.5]),
        ]
    }

    #[test]
    fn a_right_gradient_passes() {
        gradcheck(&operands(), |_, v| {
            product(v, |step| {
                step.add(0, share(step, 1));
                step.add(1, share(step, 0));
            })
        })
        .unwrap();
    }

    #[test]
    fn one_wrong_element_is_found_and_named() {
        let result = gradcheck(&operands(), |_, v| {
            product(v, |step| {
                let mut wrong = share(step, 0);
                wrong[2] *= 1.01;
                step.add(0, share(step, 1));
                step.add(1, wrong);
            })
        });
        let Err(error) = result else {
            panic!("a gradient off by one percent passed")
        };
        let GradcheckError::Differs {
            input,
            element,
            analytical,
            numerical,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((input, element), (1, 2));
        assert!((analytical / numerical - 1.01).abs() < 1e-6);
        let text = error.to_string();
        assert!(
            text.starts_with("gradcheck: input 1, element 2: the gradient is "),
            "{text}"
        );
    }

    #[test]
    fn a_forgotten_input_and_a_sign_and_a_nan_are_found() {
        let wrong: [fn(&mut Adjoint<'_, f64>); 3] = [
            |step| step.add(0, share(step, 1)),
            |step| {
                step.add(0, share(step, 1));
                step.add(1, share(step, 0).iter().map(|dx| -dx).collect());
            },
            |step| {
                step.add(0, share(step, 1));
                step.add(1, vec![f64::NAN; 3]);
            },
        ];
        for backward in wrong {
            let error = gradcheck(&operands(), |_, v| product(v, backward)).unwrap_err();
            assert!(
                matches!(
                    error,
                    GradcheckError::Differs {
                        input: 1,
                        element: 0,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn a_function_that_varies_is_found() {
        let calls = Cell::new(0.0);
        let error = gradcheck(&operands(), |_, v| {
            calls.set(calls.get() + 1.0);
            v[0] + calls.get()
        });
        assert_eq!(
            error,
            Err(GradcheckError::NotReproducible {
                element: 0,
                first: 1.5,
                second: 2.5
            })
        );
    }

    #[test]
    fn a_lost_gradient_is_found() {
        let error = gradcheck(&operands(), |tape: &Tape<f64>, v| {
            tape.constant(Tensor::clone(&v[0].value()))
        });
        assert_eq!(error, Err(GradcheckError::NoGradient));
    }
}
