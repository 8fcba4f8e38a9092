//! Bounds of the functions.
