//! Naive references.
