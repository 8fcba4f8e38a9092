//! Layers, losses, metrics, optimizers and the training engine of Plywood.
