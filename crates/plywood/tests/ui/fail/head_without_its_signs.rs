//! Name, input, output and layers are told apart by signs.

use plywood::prelude::*;

plywood::model! {
    pub Colon Vector<4> => Logits<10> { Dense(10) }
}

plywood::model! {
    pub Arrow: Vector<4> Logits<10> { Dense(10) }
}

plywood::model! {
    pub Brackets: Vector<4> => Logits<10> [Dense(10)]
}

plywood::model! {
    pub NoBraces: Vector<4> => Logits<10>; Dense(10)
}

plywood::model! {
    pub NoOutput: Vector<4> { Dense(10) }
}

fn main() {
    let _ = (Colon::new(Seed(1)), Arrow::new(Seed(1)), Brackets::new(Seed(1)));
}
