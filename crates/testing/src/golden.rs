//! Golden values: what PyTorch and Keras computed, read from the files that `cargo xtask golden` writes.
//!
//! A file holds the cases of one layer as `f64` safetensors. The tensor `<case>.<tensor>` belongs to the case `<case>`, whose
//! configuration is JSON in the file's metadata under the case's name. `golden/README.md` says what the tensors are; all of
//! them are in Plywood's layouts.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// The cases of one file, in the order of their names.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The file's cases.
    pub cases: Vec<Case>,
}

/// One configuration of a layer with its inputs, its outputs and their gradients.
#[derive(Clone, Debug)]
pub struct Case {
    /// `<file>/<case>`, for messages.
    pub name: String,
    /// The layer's arguments.
    pub config: Value,
    tensors: BTreeMap<String, Array>,
}

/// Numbers with their shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The numbers, as many as the product of the sizes.
    pub values: Vec<f64>,
}

impl Golden {
    /// Reads `golden/<name>.safetensors`, for instance `pytorch/conv2d`.
    ///
    /// # Panics
    /// Where the file is missing or is not of the form above: a test cannot go on without it.
    #[must_use]
    #[track_caller]
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("golden")
            .join(format!("{name}.safetensors"));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        match Self::parse(name, &bytes) {
            Ok(golden) => golden,
            Err(fault) => panic!("{}: {fault}", path.display()),
        }
    }

    /// Reads a file's bytes; `name` is for messages.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let metadata = header.metadata().clone().ok_or("no metadata")?;
        let mut cases = BTreeMap::new();
        for (case, config) in metadata.iter().filter(|(key, _)| *key != "versions") {
            let config =
                serde_json::from_str(config).map_err(|error| format!("{case}: {error}"))?;
            let tensors = BTreeMap::new();
            let name = format!("{name}/{case}");
            cases.insert(
                case.clone(),
                Case {
                    name,
                    config,
                    tensors,
                },
            );
        }
        for (key, tensor) in file.iter() {
            let (case, part) = key.split_once('.').ok_or(format!("{key}: no case"))?;
            let case = cases.get_mut(case).ok_or(format!("{key}: no such case"))?;
            if tensor.dtype() != Dtype::F64 {
                return Err(format!("{key}: {:?} instead of F64", tensor.dtype()));
            }
            let array = Array {
                shape: tensor.shape().to_vec(),
                values: doubles(tensor.data()),
            };
            case.tensors.insert(part.to_owned(), array);
        }
        let cases = cases.into_values().collect();
        Ok(Self { cases })
    }

    /// The case of this name.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn case(&self, name: &str) -> &Case {
        let found = self.cases.iter().find(|case| case.short_name() == name);
        found.unwrap_or_else(|| panic!("no golden case {name}"))
    }
}

impl Case {
    /// The name without the file's.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The tensor `name`, if the case has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.tensors.get(name)
    }

    /// The numbers of the tensor `name`.
    ///
    /// # Panics
    /// Where the case has none of this name.
    #[must_use]
    #[track_caller]
    pub fn values(&self, name: &str) -> &[f64] {
        &self.array(name).values
    }

    /// The sizes of the tensor `name`.
    ///
    /// # Panics
    /// Where the case has none of this name.
    #[must_use]
    #[track_caller]
    pub fn shape(&self, name: &str) -> &[usize] {
        &self.array(name).shape
    }

    /// The numbers of the tensor `name` as indices: tokens, classes, lengths.
    ///
    /// # Panics
    /// Where the case has none of this name, or one of its numbers is no index.
    #[must_use]
    #[track_caller]
    pub fn indices(&self, name: &str) -> Vec<u32> {
        let index = |&x: &f64| {
            assert!(
                x >= 0.0 && x.fract() == 0.0 && x < f64::from(u32::MAX),
                "{}: {name} holds {x}",
                self.name
            );
            x as u32
        };
        self.values(name).iter().map(index).collect()
    }

    /// The names of the case's tensors, sorted.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The configuration's number `key`.
    ///
    /// # Panics
    /// Where there is none, or it is no number.
    #[must_use]
    #[track_caller]
    pub fn number(&self, key: &str) -> f64 {
        let number = self.config[key].as_f64();
        number.unwrap_or_else(|| panic!("{}: no number {key} in {}", self.name, self.config))
    }

    /// The configuration's whole number `key`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn size(&self, key: &str) -> usize {
        let size = self.config[key].as_u64();
        size.unwrap_or_else(|| panic!("{}: no size {key} in {}", self.name, self.config)) as usize
    }

    /// The configuration's pair of whole numbers `key`: rows and columns.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn pair(&self, key: &str) -> [usize; 2] {
        let at = |i: usize| self.config[key][i].as_u64();
        match (at(0), at(1)) {
            (Some(rows), Some(columns)) => [rows as usize, columns as usize],
            _ => panic!("{}: no pair {key} in {}", self.name, self.config),
        }
    }

    /// The configuration's switch `key`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn flag(&self, key: &str) -> bool {
        let flag = self.config[key].as_bool();
        flag.unwrap_or_else(|| panic!("{}: no switch {key} in {}", self.name, self.config))
    }

    /// The configuration's word `key`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn text(&self, key: &str) -> &str {
        let text = self.config[key].as_str();
        text.unwrap_or_else(|| panic!("{}: no text {key} in {}", self.name, self.config))
    }

    /// How far from the true values the framework's own may be, relative and absolute; it computes most layers in `f64`
    /// throughout.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.config["tolerance"].as_f64().unwrap_or(1e-12)
    }

    #[track_caller]
    fn array(&self, name: &str) -> &Array {
        let array = self.tensors.get(name);
        array.unwrap_or_else(|| panic!("{}: no tensor {name}", self.name))
    }
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks
        .iter()
        .map(|&chunk| f64::from_le_bytes(chunk))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Golden;

    #[test]
    fn reads_shapes_numbers_and_configurations() {
        let golden = Golden::open("pytorch/conv2d");
        let case = golden.case("explicit");
        assert_eq!(case.shape("x"), [1, 5, 5, 2]);
        assert_eq!(case.values("x").len(), 50);
        assert_eq!(case.pair("stride"), [2, 1]);
        assert_eq!(case.text("padding"), "explicit");
        let names = ["bias", "dbias", "dweight", "dx", "dy", "weight", "x", "y"];
        assert!(case.tensor_names().eq(names));
    }

    #[test]
    fn indices_are_whole() {
        let golden = Golden::open("keras/embedding");
        let case = golden.case("sequence");
        let vocabulary = case.size("vocabulary") as u32;
        let tokens = case.indices("x");
        assert_eq!(tokens.len(), 15);
        assert!(tokens.iter().all(|&token| token < vocabulary));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        assert!(Golden::parse("short", &[1, 2, 3]).is_err());
        let header = br#"{"a.x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(&1.5f64.to_le_bytes());
        assert_eq!(Golden::parse("bare", &bytes).unwrap_err(), "no metadata");
    }
}
