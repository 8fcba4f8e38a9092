//! A network is fed what it declares.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Flatten, Dense(10),
    }
}

fn train(data: &Dataset<Image<32, 32, 3>, Class<10>>) -> plywood::Result<()> {
    let mut net = Net::new(Seed(1));
    Fit::new(Adam::default(), CrossEntropy).on(&mut net, data).epochs(5).run()?;
    Ok(())
}

fn main() {
    let _ = train;
}
