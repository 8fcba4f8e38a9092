//! Sizes that are left open are declared as constants.

plywood::model! {
    pub Net<4>: Vector<4> => Logits<10> { Dense(10) }
}

fn main() {}
