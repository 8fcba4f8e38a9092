//! Fitting, history and progress of Plywood networks.
