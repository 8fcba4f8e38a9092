//! Reading and writing the weights of Plywood networks.
