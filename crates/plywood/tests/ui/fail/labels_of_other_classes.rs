//! The labels count as many classes as the network does.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<12> {
        Flatten, Dense(12),
    }
}

fn train(data: &Dataset<Image<28, 28, 1>, Class<10>>) -> plywood::Result<()> {
    let mut net = Net::new(Seed(1));
    Fit::new(Adam::default(), CrossEntropy).on(&mut net, data).epochs(5).run()?;
    Ok(())
}

fn main() {
    let _ = train;
}
