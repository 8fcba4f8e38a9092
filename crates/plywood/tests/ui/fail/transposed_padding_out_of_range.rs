//! Something is left of an output that is cut.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<1, 1, 4> => Image<1, 1, 8> { ConvTranspose2d(8, kernel: 3, padding: 2) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
