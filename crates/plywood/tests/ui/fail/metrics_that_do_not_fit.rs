//! A metric counts what outputs and targets have in common.

use plywood::prelude::*;

plywood::model! {
    pub Digits: Vector<8> => Logits<10> { Dense(10) }
}

plywood::model! {
    pub Picture: Image<8, 8, 1> => Image<8, 8, 1> { Conv2d(1, padding: same) }
}

fn classes(net: &mut Digits, data: &Dataset<Vector<8>, Class<10>>) -> plywood::Result<()> {
    Fit::new(Adam::default(), CrossEntropy).on(net, data).metric(LastStepAccuracy).run()?;
    Fit::new(Adam::default(), CrossEntropy).on(net, data).metric(BinaryAccuracy).run()?;
    Ok(())
}

fn pictures(net: &mut Picture, data: &Dataset<Image<8, 8, 1>, Image<8, 8, 1>>) -> plywood::Result<()> {
    Fit::new(Adam::default(), MeanSquaredError).on(net, data).metric(Accuracy).run()?;
    Ok(())
}

fn main() {
    let _ = (classes, pictures);
}
