//! Weights that come back as they went, and files that do not fit.
//!
//! The network is written by hand: it has parameters and running state, but its passes are of no concern here.

use super::{Load, Save};
use crate::FormatError;
use crate::safetensors::{Archive, Entry, write};
use plywood_kernels::{AlignedVec, Float};
use plywood_nn::arena::Carved;
use plywood_nn::network::{self, Lane, Visitor};
use plywood_nn::{Network, Run, Seed, Step};
use plywood_shape::layers::{BatchNorm, Dense};
use plywood_shape::{Inputs, LayerInfo, Name, Plan, Shape, Vector, chain};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// Three numbers through `HIDDEN` to two, normalised on the way.
struct Net<T: Float, const HIDDEN: usize> {
    parameters: AlignedVec<T>,
    state: AlignedVec<T>,
}

impl<T: Float, const HIDDEN: usize> Net<T, HIDDEN> {
    const CHAIN: [Plan; 3] = {
        let first = Dense::new(HIDDEN).plan(Shape::vector(3));
        let norm = BatchNorm::new().plan(first.output);
        let last = Dense::new(2).plan(norm.output);
        [first, norm, last]
    };

    const fn layer(index: usize, name: &'static str, kind: &'static str) -> LayerInfo {
        LayerInfo {
            name: Name::new(name),
            kind,
            plan: Self::CHAIN[index],
            offset: chain::offsets(&Self::CHAIN)[index],
            state_offset: chain::state_offsets(&Self::CHAIN)[index],
            fused_into: index,
            inputs: Inputs::new(&[]),
            frozen: false,
        }
    }
}

impl<T: Float, const HIDDEN: usize> Network for Net<T, HIDDEN> {
    type Scalar = T;
    type Input = Vector<3>;
    type Output = Vector<2>;
    type Of<U: Float> = Net<U, HIDDEN>;

    const NAME: &'static str = if HIDDEN == 5 { "Five" } else { "Other" };
    const LAYERS: &'static [LayerInfo] = &[
        Self::layer(0, "first", "Dense"),
        Self::layer(1, "norm", "BatchNorm"),
        Self::layer(2, "last", "Dense"),
    ];
    const STEPS: &'static [Step] = &[];
    const SEGMENTS: usize = 0;

    fn seeded(seed: Seed) -> Self {
        let (parameters, state) = network::fresh(Self::LAYERS, seed);
        Self { parameters, state }
    }

    fn of_numbers(parameters: AlignedVec<T>, state: AlignedVec<T>) -> Self {
        Self { parameters, state }
    }

    fn parameters(&self) -> &[T] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    fn state(&self) -> &[T] {
        &self.state
    }

    fn state_mut(&mut self) -> &mut [T] {
        &mut self.state
    }

    fn forward(_: usize, _: &Run<'_, T>, _: &[T], _: Carved<'_, T>) {}

    fn backward<const INPUT_GRADIENT: bool>(
        _: usize,
        _: &Run<'_, T>,
        _: &[T],
        _: Carved<'_, T>,
        _: &mut Lane<'_, T>,
    ) {
    }

    fn visit<V: Visitor<T>>(_: usize, _: &mut V) {}

    fn scatter(_: &[T], _: &[T], _: usize, _: &mut [T]) {}
}

type Five = Net<f32, 5>;

/// A network whose state is no longer that of a new one.
fn five() -> Five {
    let mut net = Five::seeded(Seed(1));
    for (i, value) in net.state.iter_mut().enumerate() {
        *value = 0.5 + i as f32;
    }
    net
}

fn saved(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("five.safetensors");
    five().save(&path).unwrap();
    path
}

/// The numbers that a network has, without the gaps between its layers.
fn numbers<T: Float, const HIDDEN: usize>(net: &Net<T, HIDDEN>) -> Vec<u64> {
    let places = super::places(Net::<T, HIDDEN>::LAYERS).into_iter();
    let values = places.flat_map(|place| {
        let buffer = if place.state {
            net.state()
        } else {
            net.parameters()
        };
        buffer[place.range].to_vec()
    });
    values.map(T::to_bits_u64).collect()
}

#[test]
fn weights_and_state_come_back_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let path = saved(&folder);
    let mut net = Five::seeded(Seed(2));
    assert_ne!(numbers(&net), numbers(&five()));
    net.load(&path).unwrap();
    assert_eq!(numbers(&net), numbers(&five()));
    let again = folder.path().join("again.safetensors");
    net.save(&again).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), std::fs::read(again).unwrap());
}

#[test]
fn tensors_are_named_by_layer() {
    let folder = TempDir::new().unwrap();
    let archive = Archive::read(saved(&folder)).unwrap();
    let names: Vec<_> = archive.names().collect();
    assert!(
        names.contains(&"first.weight") && names.contains(&"norm.running_mean"),
        "{names:?}"
    );
    assert_eq!(archive.sizes("first.weight"), Some(&[3, 5][..]));
    assert_eq!(archive.metadata()["plywood.network"], "Five");
    assert!(archive.metadata()["plywood.layers"].contains(r#""kind":"BatchNorm""#));
}

#[test]
fn the_weights_of_another_network_leave_it_untouched() {
    let folder = TempDir::new().unwrap();
    let path = saved(&folder);
    let mut other = Net::<f32, 7>::seeded(Seed(3));
    let before = numbers(&other);
    let text = other.load(&path).unwrap_err().to_string();
    assert!(
        text.contains("five.safetensors: the weights of `Five` do not fit `Other`"),
        "{text}"
    );
    assert!(
        text.contains("`first.weight`: found sizes [3, 5], expected [3, 7]"),
        "{text}"
    );
    assert!(!text.contains("last.bias"), "{text}");
    assert_eq!(numbers(&other), before);
    let text = Net::<f64, 5>::seeded(Seed(3))
        .load(&path)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("`last.bias`: found numbers of type F32, expected F64"),
        "{text}"
    );
}

#[test]
fn missing_and_unexpected_tensors_are_all_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.safetensors");
    let places = super::places(Five::LAYERS);
    let values = [0.0_f32; 64];
    let entry = |place: &super::Place, name: &str| Entry {
        name: name.to_owned(),
        sizes: place.sizes,
        values: &values[..place.range.len()],
    };
    let mut entries: Vec<_> = places
        .iter()
        .map(|place| entry(place, &place.name))
        .collect();
    let last = entries.len() - 1;
    entries[last].name = "stray".into();
    write(&path, &entries, &BTreeMap::new()).unwrap();
    let mut net = five();
    match net.load(&path).unwrap_err() {
        FormatError::Mismatch { faults, found, .. } => {
            let text: Vec<_> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(
                text,
                [
                    "`last.bias`: missing, expected [2]",
                    "`stray`: found [2], expected no such tensor"
                ]
            );
            assert_eq!(found, None);
        }
        other => panic!("{other}"),
    }
    assert_eq!(numbers(&net), numbers(&five()));
}

#[test]
fn a_damaged_file_leaves_the_network_untouched() {
    let folder = TempDir::new().unwrap();
    let path = saved(&folder);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let mut net = five();
    assert!(net.load(&path).is_err());
    assert_eq!(numbers(&net), numbers(&five()));
}

#[test]
fn a_failed_save_leaves_the_old_file() {
    let folder = TempDir::new().unwrap();
    let path = saved(&folder);
    let before = std::fs::read(&path).unwrap();
    let error = five().save(path.join("within")).unwrap_err();
    assert!(error.to_string().contains("not written"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
