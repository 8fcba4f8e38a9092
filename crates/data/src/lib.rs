//! Data sets, loaders and transforms of Plywood.
