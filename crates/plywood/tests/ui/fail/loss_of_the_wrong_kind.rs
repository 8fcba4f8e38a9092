//! Cross-entropy starts from logits, so a softmax before it is refused.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Probabilities<10> {
        Flatten, Dense(10), Softmax,
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
