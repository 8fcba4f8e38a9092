//! A deep-learning framework for the CPU: networks declared with model!, checked before the program exists.
