//! Files that come back as they went, and files with one fault each.

use super::{Archive, Entry, write};
use crate::FormatError;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

const SIZES: [usize; 2] = [2, 3];
const VALUES: [f32; 6] = [0.0, -1.5, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 1e-45];

fn entries() -> [Entry<'static, f32>; 2] {
    [
        Entry {
            name: "b.weight".into(),
            sizes: &SIZES,
            values: &VALUES,
        },
        Entry {
            name: "a \"quoted\" name".into(),
            sizes: &[],
            values: &[7.0],
        },
    ]
}

fn written(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("x.safetensors");
    let metadata = BTreeMap::from([("who".to_owned(), "me".to_owned())]);
    write(&path, &entries(), &metadata).unwrap();
    path
}

/// The error of reading `bytes`.
fn refused(bytes: &[u8]) -> FormatError {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bad.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Archive::read(&path).unwrap_err()
}

/// A file with this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn what_was_written_comes_back_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let archive = Archive::read(written(&folder)).unwrap();
    assert_eq!(
        archive.names().collect::<Vec<_>>(),
        ["a \"quoted\" name", "b.weight"]
    );
    assert_eq!(archive.sizes("b.weight"), Some(&SIZES[..]));
    let mut values = [0.0_f32; 6];
    archive.copy("b.weight", &SIZES, &mut values).unwrap();
    assert_eq!(values.map(f32::to_bits), VALUES.map(f32::to_bits));
    assert_eq!(archive.metadata()["who"], "me");
    assert_eq!(archive.metadata()["format"], "pt");
}

#[test]
fn doubles_come_back_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.safetensors");
    let values = [std::f64::consts::PI, f64::MAX, 5e-324];
    let tensor = Entry {
        name: "x".into(),
        sizes: &[3],
        values: &values,
    };
    write(&path, &[tensor], &BTreeMap::new()).unwrap();
    let archive = Archive::read(path).unwrap();
    let mut back = [0.0_f64; 3];
    archive.copy("x", &[3], &mut back).unwrap();
    assert_eq!(back, values);
    let wrong = archive
        .copy("x", &[3], &mut [0.0_f32; 3])
        .unwrap_err()
        .to_string();
    assert!(
        wrong.ends_with("`x`: found numbers of type F64, expected F32"),
        "{wrong}"
    );
}

#[test]
fn the_layout_is_that_of_the_format() {
    let folder = TempDir::new().unwrap();
    let bytes = std::fs::read(written(&folder)).unwrap();
    assert_eq!(bytes, std::fs::read(written(&folder)).unwrap());
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(len % 8, 0);
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + len]).unwrap();
    assert_eq!(
        header["a \"quoted\" name"]["data_offsets"],
        serde_json::json!([0, 4])
    );
    assert_eq!(
        header["b.weight"]["data_offsets"],
        serde_json::json!([4, 28])
    );
    assert_eq!(bytes.len(), 8 + len + 28);
    assert_eq!(bytes[8 + len..][..4], 7.0_f32.to_le_bytes());
}

#[test]
fn refuses_a_file_cut_short_anywhere() {
    let folder = TempDir::new().unwrap();
    let bytes = std::fs::read(written(&folder)).unwrap();
    for len in 0..bytes.len() {
        let error = refused(&bytes[..len]);
        assert!(
            matches!(error, FormatError::Safetensors { .. }),
            "{len}: {error}"
        );
    }
    let longer = refused(&[bytes, vec![0]].concat());
    assert!(
        longer
            .to_string()
            .contains("bad.safetensors: not a whole safetensors file")
    );
}

#[test]
fn refuses_garbage_and_headers_of_any_length() {
    for bytes in [
        vec![0xff; 64],
        b"PK\x03\x04 a zip file, and a long one".to_vec(),
    ] {
        let error = refused(&bytes);
        assert!(matches!(error, FormatError::Safetensors { .. }), "{error}");
    }
}

#[test]
fn refuses_two_tensors_of_one_name() {
    let one = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let error = refused(&file(&format!(r#"{{"x":{one},"x":{one}}}"#), &[0; 4]));
    assert!(
        error
            .to_string()
            .ends_with("there are two tensors named `x`"),
        "{error}"
    );
    let folder = TempDir::new().unwrap();
    let twice = [entries()[0].clone(), entries()[0].clone()];
    let path = folder.path().join("y");
    assert!(matches!(
        write(&path, &twice, &BTreeMap::new()),
        Err(FormatError::Duplicate { tensor, .. }) if tensor == "b.weight"
    ));
    assert!(!path.exists());
}

#[test]
fn names_what_is_missing_or_of_other_sizes() {
    let folder = TempDir::new().unwrap();
    let archive = Archive::read(written(&folder)).unwrap();
    let message = |name, sizes| {
        let error = archive.copy(name, sizes, &mut [0.0_f32; 6]).unwrap_err();
        error.to_string()
    };
    assert!(message("c", &[6]).ends_with("x.safetensors: `c`: missing, expected [6]"));
    assert!(
        message("b.weight", &[3, 2]).ends_with("`b.weight`: found sizes [2, 3], expected [3, 2]")
    );
}

#[test]
fn no_single_wrong_byte_makes_it_panic() {
    let folder = TempDir::new().unwrap();
    let bytes = std::fs::read(written(&folder)).unwrap();
    let path = folder.path().join("bad.safetensors");
    for (at, value) in (0..bytes.len()).flat_map(|at| [0, b'"', b'}', b'9', 0xff].map(|v| (at, v)))
    {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        std::fs::write(&path, bytes).unwrap();
        if let Ok(archive) = Archive::read(&path) {
            assert!(archive.names().count() <= 2, "byte {at} is {value}");
        }
    }
}
