//! Sample kinds, layer declarations and the shape rules of Plywood, all const fn.
