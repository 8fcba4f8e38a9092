//! Saving and loading the weights of a network.

#[cfg(test)]
mod tests;

use crate::safetensors::{Archive, Entry, write};
use crate::{FormatError, TensorFault};
use plywood_nn::Network;
use plywood_shape::{LayerInfo, Sample};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// The metadata key of the network's name.
const NETWORK: &str = "plywood.network";
/// The metadata key of the layer table.
const LAYERS: &str = "plywood.layers";

/// Saving a network's weights; every [`Network`] can.
pub trait Save {
    /// Writes parameters and running state to a safetensors file, replacing an old one whole or not at all.
    ///
    /// A tensor's name is its layer's and its own: `conv1.weight`. The metadata say which network it is and what its
    /// layers are. The bytes of the file follow from the network.
    ///
    /// # Errors
    /// If the file cannot be written; then an old one is untouched.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), FormatError>;
}

/// Loading a network's weights; every [`Network`] can.
pub trait Load {
    /// Takes parameters and running state from a safetensors file that [`Save::save`] wrote, or that has the same tensors.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, or if a tensor is missing, unexpected, of other sizes or of another
    /// type; then the network is untouched.
    fn load(&mut self, path: impl AsRef<Path>) -> Result<(), FormatError>;
}

impl<N: Network> Save for N {
    fn save(&self, path: impl AsRef<Path>) -> Result<(), FormatError> {
        let places = places(N::LAYERS);
        let entries = places.iter().map(|place| Entry {
            name: place.name.clone(),
            sizes: place.sizes,
            values: &self.buffer(place.state)[place.range.clone()],
        });
        write(path, &entries.collect::<Vec<_>>(), &metadata::<N>())
    }
}

impl<N: Network> Load for N {
    fn load(&mut self, path: impl AsRef<Path>) -> Result<(), FormatError> {
        let path = path.as_ref();
        let archive = Archive::read(path)?;
        let places = places(N::LAYERS);
        let faults = faults::<N>(&places, &archive);
        if !faults.is_empty() {
            return Err(FormatError::Mismatch {
                path: path.to_owned(),
                network: N::NAME,
                found: archive.metadata().get(NETWORK).cloned(),
                faults,
            });
        }
        for place in places {
            let buffer = if place.state {
                self.state_mut()
            } else {
                self.parameters_mut()
            };
            archive.copy(&place.name, place.sizes, &mut buffer[place.range])?;
        }
        Ok(())
    }
}

/// The buffers of a network by what is in them.
trait Buffer: Network {
    fn buffer(&self, state: bool) -> &[Self::Scalar] {
        if state {
            self.state()
        } else {
            self.parameters()
        }
    }
}

impl<N: Network> Buffer for N {}

/// Where a tensor lies in its network.
struct Place {
    /// `<layer>.<tensor>`.
    name: String,
    sizes: &'static [usize],
    /// In the state buffer, or else among the parameters.
    state: bool,
    range: Range<usize>,
}

/// Every tensor of the layers. Those of one layer lie back to back, parameters and state each.
fn places(layers: &'static [LayerInfo]) -> Vec<Place> {
    let mut places = Vec::new();
    for layer in layers {
        let (mut parameters, mut states) = (layer.offset, layer.state_offset);
        for tensor in layer.plan.tensors() {
            let next = if tensor.state {
                &mut states
            } else {
                &mut parameters
            };
            let start = *next;
            *next += tensor.count();
            places.push(Place {
                name: format!("{}.{}", layer.name, tensor.name),
                sizes: tensor.sizes(),
                state: tensor.state,
                range: start..*next,
            });
        }
    }
    places
}

/// Everything that does not fit: what the network lacks first, in its order, then what it does not want.
fn faults<N: Network>(places: &[Place], archive: &Archive) -> Vec<TensorFault> {
    let fault = |place: &Place| archive.fault::<N::Scalar>(&place.name, place.sizes);
    let mut faults: Vec<_> = places.iter().filter_map(fault).collect();
    for name in archive.names() {
        if places.iter().all(|place| place.name != name) {
            faults.push(TensorFault::Unexpected {
                tensor: name.to_owned(),
                found: archive.sizes(name).unwrap_or_default().to_vec(),
            });
        }
    }
    faults
}

fn metadata<N: Network>() -> BTreeMap<String, String> {
    let layers: Vec<_> = N::LAYERS
        .iter()
        .map(|layer| {
            let output = layer.plan.output.to_string();
            json!({"name": layer.name.to_string(), "kind": layer.kind, "output": output})
        })
        .collect();
    let input = N::Input::SHAPE.to_string();
    BTreeMap::from([
        (NETWORK.to_owned(), N::NAME.to_owned()),
        (
            LAYERS.to_owned(),
            json!({"input": input, "layers": layers}).to_string(),
        ),
    ])
}
