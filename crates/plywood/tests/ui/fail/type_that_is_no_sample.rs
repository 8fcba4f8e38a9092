//! What the macro cannot know of a type, the compiler says.

use plywood::prelude::*;

pub struct Pixels;

plywood::model! {
    pub Net: Pixels => Logits<10> { Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
