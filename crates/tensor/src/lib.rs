//! N-dimensional tensors and typed batches of Plywood.
