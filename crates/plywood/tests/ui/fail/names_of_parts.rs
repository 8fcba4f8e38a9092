//! A part takes two names: its own, and that of what puts its numbers back; constants have names as well.

use plywood::prelude::*;

plywood::model! {
    pub Encoder: Vector<8> => Vector<8> { Dense(8) }
}

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        encoder: Encoder,
        set_encoder: Dense(8),
        LAYERS: Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
