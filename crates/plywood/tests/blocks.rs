//! Layers within blocks are saved and loaded like others.

mod common;

use common::{ResidualCnn, batch, images};
use plywood::prelude::*;

#[test]
fn weights_and_state_within_blocks_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("residual.safetensors");
    let mut network = ResidualCnn::new(Seed(3));
    let data = images(64);
    let fit = Fit::new(Adam::default(), CrossEntropy).on(&mut network, &data);
    fit.epochs(1).quiet().run().expect("the training runs");
    network.save(&path).expect("it is saved");
    let mut other = ResidualCnn::new(Seed(4));
    other.load(&path).expect("it is loaded");
    assert_eq!(network.parameters(), other.parameters());
    assert_eq!(network.state(), other.state());
    let inputs = batch(&data, 8).inputs;
    let outputs = |network| Session::new(network).outputs(&inputs);
    assert_eq!(outputs(&network).data(), outputs(&other).data());
}
