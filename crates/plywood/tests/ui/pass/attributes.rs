//! Documentation, attributes, visibility and raw names pass through; the network is a type like any other.
#![deny(warnings)]

mod networks {
    use plywood::prelude::*;

    plywood::model! {
        /// Documented.
        #[allow(non_camel_case_types)]
        #[must_use]
        pub(super) tiny_net: Vector<4> => Logits<2> {
            /// The only layer.
            r#final: Dense(2)
        }
    }
}

pub(crate) fn main() {
    let net = networks::tiny_net::new(plywood::Seed(1));
    assert_eq!(net.clone().r#final().info.name, "final");
    assert_eq!(format!("{net:?}"), "tiny_net { .. }");
}
