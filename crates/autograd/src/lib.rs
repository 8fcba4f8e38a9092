//! Differentiable operations, the tape and the gradient checker of Plywood.
