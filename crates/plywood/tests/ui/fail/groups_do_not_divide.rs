//! Groups divide the channels and the filters.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<8, 8, 6> => Logits<10> {
        Conv2d(8, groups: 4),
        Conv2d(9, groups: 2),
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
