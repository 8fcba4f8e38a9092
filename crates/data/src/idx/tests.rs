//! IDX files with one fault each: every one is refused for what it is, and only that.

use super::Idx;
use crate::DataError;
use crate::testing::{gzip, idx, write};
use tempfile::TempDir;

/// The result of reading `bytes` under `name`.
fn read(name: &str, bytes: &[u8], rank: usize) -> Result<Idx, DataError> {
    let folder = TempDir::new().unwrap();
    Idx::read(&write(&folder, name, bytes), rank)
}

#[test]
fn reads_plain_and_compressed_files_alike() {
    let bytes = idx(&[2, 3, 1], &[1, 2, 3, 4, 5, 6]);
    let plain = read("images", &bytes, 3).unwrap();
    assert_eq!(plain.dimensions, [2, 3, 1]);
    assert_eq!(plain.values, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read("images.gz", &gzip(&bytes), 3).unwrap(), plain);
}

#[test]
fn reads_a_file_without_numbers() {
    let empty = read("labels", &idx(&[0], &[]), 1).unwrap();
    assert_eq!((empty.dimensions, empty.values), (vec![0], vec![]));
}

#[test]
fn refuses_a_truncated_file_at_every_length() {
    let bytes = idx(&[2, 2], &[1, 2, 3, 4]);
    for len in 0..bytes.len() {
        for (name, content) in [("x", bytes[..len].to_vec()), ("x.gz", gzip(&bytes[..len]))] {
            match read(name, &content, 2) {
                Err(DataError::Truncated {
                    expected, found, ..
                }) => {
                    assert_eq!(found, len as u64);
                    assert_eq!(expected, if len < 12 { 12 } else { 16 });
                }
                other => panic!("{name} of {len} bytes gave {other:?}"),
            }
        }
    }
}

#[test]
fn refuses_trailing_bytes() {
    let mut bytes = idx(&[2], &[1, 2]);
    bytes.push(0);
    for (name, content) in [("x", bytes.clone()), ("x.gz", gzip(&bytes))] {
        let error = read(name, &content, 1).unwrap_err();
        assert!(
            matches!(error, DataError::Oversized { expected: 10, .. }),
            "{error}"
        );
    }
}

#[test]
fn refuses_what_is_not_gzip() {
    let error = read("x.gz", &idx(&[1], &[1]), 1).unwrap_err();
    assert!(
        error.to_string().contains("x.gz: not a gzip file"),
        "{error}"
    );
    assert!(
        error.to_string().contains("[00, 00], expected [1f, 8b]"),
        "{error}"
    );
    let empty = read("x.gz", &[], 1).unwrap_err();
    assert!(matches!(empty, DataError::NotGzip { .. }), "{empty}");
}

#[test]
fn refuses_a_broken_gzip_stream_and_a_wrong_checksum() {
    let whole = gzip(&idx(&[200], &[7; 200]));
    let cut = read("x.gz", &whole[..whole.len() - 12], 1).unwrap_err();
    assert!(matches!(cut, DataError::DamagedGzip { .. }), "{cut}");
    let mut flipped = whole.clone();
    let crc = whole.len() - 8;
    flipped[crc] ^= 1;
    let flipped = read("x.gz", &flipped, 1).unwrap_err();
    assert!(
        matches!(flipped, DataError::DamagedGzip { offset: 208, .. }),
        "{flipped}"
    );
}

#[test]
fn refuses_other_magic_types_and_ranks() {
    let good = idx(&[1], &[1]);
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        read("x", &bytes, 1).unwrap_err().to_string()
    };
    assert!(with(1, 0x50).ends_with("bytes 0 and 1 are [00, 50], expected [00, 00]"));
    assert!(with(2, 0x0d).ends_with("type 0x0d, expected 0x08 (unsigned bytes)"));
    assert!(with(3, 3).ends_with("byte 3 says 3 dimensions, expected 1"));
}

#[test]
fn refuses_dimensions_that_overflow_without_reserving_memory() {
    let huge = read("x", &idx(&[u32::MAX; 3], &[1, 2]), 3).unwrap_err();
    assert!(matches!(huge, DataError::TooLarge { .. }), "{huge}");
    let promised = read("x", &idx(&[u32::MAX], &[1, 2]), 1).unwrap_err();
    assert!(
        matches!(promised, DataError::Truncated { found: 10, .. }),
        "{promised}"
    );
}

#[test]
fn names_a_file_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    let error = Idx::read(&folder.path().join("nothing.gz"), 1).unwrap_err();
    assert!(error.to_string().contains("nothing.gz"), "{error}");
}

#[test]
fn no_single_wrong_byte_makes_it_panic() {
    let good = idx(&[2, 2], &[1, 2, 3, 4]);
    let packed = gzip(&good);
    for (name, bytes) in [("x", &good), ("x.gz", &packed)] {
        for (at, value) in (0..bytes.len()).flat_map(|at| [0, 1, 0x7f, 0x80, 0xff].map(|v| (at, v)))
        {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            if let Ok(read) = read(name, &bytes, 2) {
                assert_eq!(read.values.len(), 4, "{name}: byte {at} is {value}");
            }
        }
    }
}
