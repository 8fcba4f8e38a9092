//! Naive references, case tables and tolerances for the tests of Plywood.
