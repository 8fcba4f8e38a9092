//! What `model!` accepts: each file of `ui/pass` is a program of its own, here a module whose `main` runs.
//!
//! They are compiled with this test rather than by the harness of the refused programs, which then only checks programs
//! and builds none.
#![allow(
    unreachable_pub,
    reason = "in a program of its own, what is public can be reached"
)]

macro_rules! programs {
    ($($name:ident in $path:literal;)*) => {$(
        #[path = $path]
        mod $name;
    )*
        mod runs {
            $(#[test]
            fn $name() {
                super::$name::main();
            })*
        }
    };
}

programs! {
    attributes in "ui/pass/attributes.rs";
    blocks in "ui/pass/blocks.rs";
    chapter in "ui/pass/chapter.rs";
    custom_layer in "ui/pass/custom_layer.rs";
    every_layer in "ui/pass/every_layer.rs";
    hostile_scope in "ui/pass/hostile_scope.rs";
    open_sizes in "ui/pass/open_sizes.rs";
    places in "ui/pass/places.rs";
}
