//! The data of the contest, as plain files that every contestant reads alike: images of a byte a pixel, tokens of four bytes, classes of a
//! byte each.

use super::protocol::Work;
use crate::Outcome;
use plywood::kernels::random::{Random, Sequence};
use plywood::prelude::*;
use std::path::{Path, PathBuf};

/// Images of Fashion-MNIST: the first ones.
const IMAGES: usize = 12_800;
const TEXTS: usize = 10_240;
/// Texts that are fed a token at a time: a few thousand tokens.
const STREAMED: usize = 20;
const PICTURES: usize = 640;
const SIDE: usize = 32;
const VOCABULARY: u64 = 10_000;
const CLASSES: u32 = 10;

/// Where the files are.
#[derive(Clone, Debug)]
pub(super) struct Data {
    folder: PathBuf,
}

impl Data {
    /// Files that lie in `folder` or will.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The inputs and targets of a network in a mode, as the part of a work that says so.
    pub(super) fn of(&self, network: &str, mode: &str, steps: usize) -> Work {
        let (name, samples) = match (network, mode) {
            ("cnn" | "mlp", _) => ("fashion".to_owned(), IMAGES),
            ("vgg", _) => ("pictures".to_owned(), PICTURES),
            (_, "stream") => (format!("stream-{steps}"), STREAMED),
            _ => (format!("texts-{steps}"), TEXTS),
        };
        Work {
            samples,
            inputs: self.folder.join(format!("{name}.inputs")),
            targets: self.folder.join(format!("{name}.targets")),
            ..Work::default()
        }
    }

    /// Writes all files.
    pub(super) fn write(&self) -> Outcome {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let (inputs, targets) = fashion()?;
        self.save(&self.of("cnn", "training", 1), &inputs, &targets)?;
        let (inputs, targets) = pictures();
        self.save(&self.of("vgg", "training", 1), &inputs, &targets)?;
        for (mode, steps) in [("training", 100), ("training", 32), ("stream", 100)] {
            let work = self.of("gru", mode, steps);
            let (inputs, targets) = texts(work.samples, steps);
            self.save(&work, &inputs, &targets)?;
        }
        Ok(())
    }

    fn save(&self, work: &Work, inputs: &[u8], targets: &[u8]) -> Outcome {
        let write = |path: &Path, bytes| {
            std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
        };
        write(&work.inputs, inputs)?;
        write(&work.targets, targets)
    }
}

fn fashion() -> Result<(Vec<u8>, Vec<u8>), String> {
    let data = FashionMnist::load().map_err(|error| error.to_string())?;
    let mut examples = Examples::<Image<28, 28, 1>, Class<10>>::default();
    let order: Vec<u32> = (0..IMAGES as u32).collect();
    data.train.fill(&order, &mut examples);
    let pixels = examples.inputs.data().iter();
    let classes = examples.targets.data().iter();
    Ok((
        pixels.map(|pixel| (pixel * 255.0).round() as u8).collect(),
        classes.map(|&class| class as u8).collect(),
    ))
}

/// Random pictures with something to learn: a class brightens one of ten bands of rows.
fn pictures() -> (Vec<u8>, Vec<u8>) {
    let mut random = random(1);
    let classes: Vec<u8> = (0..PICTURES)
        .map(|index| (index % CLASSES as usize) as u8)
        .collect();
    let row = 3 * SIDE;
    let pixel = |class: u8, index: usize, noise: u64| {
        let band = index / row / 3;
        let bright = if band == usize::from(class) { 64 } else { 0 };
        noise as u8 + bright
    };
    let picture = |&class: &u8| {
        let pixels = (0..row * SIDE).map(|index| pixel(class, index, random.below(192)));
        pixels.collect::<Vec<u8>>()
    };
    (classes.iter().flat_map(picture).collect(), classes)
}

/// Random tokens; the class of a step is its token modulo the classes, so that there is something to learn.
fn texts(samples: usize, steps: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = random(0);
    let tokens: Vec<u32> = (0..samples * steps)
        .map(|_| random.below(VOCABULARY) as u32)
        .collect();
    let classes = tokens.iter().map(|token| (token % CLASSES) as u8).collect();
    (
        tokens
            .iter()
            .flat_map(|token| token.to_le_bytes())
            .collect(),
        classes,
    )
}

fn random(stream: u32) -> Sequence {
    Random {
        seed: 0,
        stream,
        step: 0,
    }
    .sequence()
}

#[cfg(test)]
mod tests {
    use super::{PICTURES, pictures, texts};

    #[test]
    fn there_are_as_many_targets_as_rows() {
        let (inputs, targets) = texts(5, 32);
        assert_eq!((inputs.len(), targets.len()), (4 * 5 * 32, 5 * 32));
        let (inputs, targets) = pictures();
        assert_eq!(
            (inputs.len(), targets.len()),
            (PICTURES * 32 * 32 * 3, PICTURES)
        );
        assert!(targets.iter().all(|&class| class < 10));
    }
}
