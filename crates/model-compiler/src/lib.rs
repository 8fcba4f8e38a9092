//! The compiler behind model!: parse, check, fuse, plan, expand.
