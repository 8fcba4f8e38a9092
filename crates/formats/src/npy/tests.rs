//! Arrays that come back as they went, a file that NumPy wrote, and files with one fault each.

use super::{Npy, NpyNumber};
use crate::FormatError;
use std::fmt::Debug;
use tempfile::TempDir;

/// The result of reading `bytes`.
fn read<E: NpyNumber>(bytes: &[u8]) -> Result<Npy<E>, FormatError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.npy");
    std::fs::write(&path, bytes).unwrap();
    Npy::read(path)
}

/// A version-1 file with this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let len = (header.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &len, header.as_bytes(), data].concat()
}

fn comes_back<E: NpyNumber + PartialEq + Debug>(sizes: &[usize], values: &[E]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.npy");
    let array = Npy {
        sizes: sizes.to_vec(),
        values: values.to_vec(),
    };
    array.write(&path).unwrap();
    assert_eq!(Npy::read(&path).unwrap(), array);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((bytes.len() - size_of_val(values)) % 64, 0);
}

#[test]
fn arrays_come_back() {
    comes_back(&[2, 3], &[1.5_f32, -0.0, f32::MAX, 1e-45, 2.0, 3.0]);
    comes_back(&[], &[std::f64::consts::E]);
    comes_back(&[5], &[0_u8, 1, 2, 254, 255]);
    comes_back(&[1, 2, 1], &[i64::MIN, i64::MAX]);
    comes_back::<f32>(&[0, 4], &[]);
}

/// `numpy.save` of `numpy.arange(3, dtype="u1").reshape(3, 1)`, NumPy 2.
#[test]
fn reads_what_numpy_writes() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1), }";
    let padded = format!("{header:117}\n");
    assert_eq!(padded.len() + 10, 128);
    let array = read::<u8>(&file(&padded, &[0, 1, 2])).unwrap();
    assert_eq!((array.sizes, array.values), (vec![3, 1], vec![0, 1, 2]));
    let ours = Npy {
        sizes: vec![3, 1],
        values: vec![0_u8, 1, 2],
    };
    assert_eq!(ours.header(), file(&padded, &[]));
}

#[test]
fn names_what_is_wrong() {
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    let message = |bytes: &[u8]| read::<f32>(bytes).unwrap_err().to_string();
    assert!(message(b"PK\x03\x04").contains("expected \\x93NUMPY"));
    assert!(message(&file(good, &[0; 7])).ends_with("7 bytes of numbers, expected 8"));
    assert!(message(&file(good, &[0; 9])).ends_with("9 bytes of numbers, expected 8"));
    let other = good.replace("<f4", "<i4");
    assert!(message(&file(&other, &[0; 8])).ends_with("type `<i4`, expected `<f4`"));
    let fortran = good.replace("False", "True").replace("(2,)", "(2, 1)");
    assert!(message(&file(&fortran, &[0; 8])).ends_with("Fortran order, expected C order"));
    let shapeless = good.replace("shape", "form");
    assert!(message(&file(&shapeless, &[])).contains("no readable `shape`"));
    let huge = good.replace("(2,)", "(9999999999, 9999999999)");
    assert!(matches!(
        read::<f32>(&file(&huge, &[])),
        Err(FormatError::NpyLength { .. })
    ));
    let mut version = file(good, &[0; 8]);
    version[6] = 9;
    assert!(message(&version).ends_with("version 9 of the format, expected 1 to 3"));
}

#[test]
fn refuses_a_file_cut_short_anywhere() {
    let bytes = file(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        &[0; 8],
    );
    for len in 0..bytes.len() {
        assert!(read::<f32>(&bytes[..len]).is_err(), "{len}");
    }
    assert!(read::<f32>(&bytes).is_ok());
}
