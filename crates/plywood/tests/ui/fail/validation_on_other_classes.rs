//! The data to validate on have the targets of those to train on.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> { Dense(10) }
}

fn train(data: &Dataset<Vector<8>, Class<10>>, other: &Dataset<Vector<8>, Class<12>>) -> plywood::Result<()> {
    let mut net = Net::new(Seed(1));
    Fit::new(Adam::default(), CrossEntropy).on(&mut net, data).validate(other).run()?;
    Ok(())
}

fn main() {
    let _ = train;
}
