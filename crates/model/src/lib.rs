//! The model! procedural macro of Plywood.
