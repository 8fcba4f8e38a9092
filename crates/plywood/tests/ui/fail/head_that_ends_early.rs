//! A network has a name, an input, an output and layers.

use plywood::prelude::*;

plywood::model! {}

plywood::model! { pub }

plywood::model! { pub Name }

plywood::model! { pub Input: }

plywood::model! { pub Arrow: Vector<4> }

plywood::model! { pub Output: Vector<4> => }

plywood::model! { pub Layers: Vector<4> => Logits<10> }

fn main() {
    let _ = Layers::new(Seed(1));
    println!("{}", Layers::summary());
}
