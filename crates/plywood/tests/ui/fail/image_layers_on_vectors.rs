//! What slides over images takes no vectors.

use plywood::prelude::*;

plywood::model! {
    pub Mean: Vector<784> => Logits<10> { GlobalAvgPool2d, Dense(10) }
}

plywood::model! {
    pub Pool: Vector<784> => Logits<10> { AvgPool2d(2), Flatten, Dense(10) }
}

plywood::model! {
    pub Depthwise: Vector<784> => Logits<10> { DepthwiseConv2d, Flatten, Dense(10) }
}

plywood::model! {
    pub Transposed: Vector<784> => Logits<10> { ConvTranspose2d(8), Flatten, Dense(10) }
}

fn main() {
    let _ = (Mean::new(Seed(1)), Pool::new(Seed(1)), Depthwise::new(Seed(1)), Transposed::new(Seed(1)));
}
