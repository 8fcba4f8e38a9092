//! The language data set, from ten small lists.

use super::{COLLECTION, LanguageOptions, LanguageWords};
use crate::testing::write;
use crate::{DataError, Source};
use plywood_tensor::Examples;
use tempfile::TempDir;

const SMALL: LanguageOptions = LanguageOptions {
    steps: 12,
    train: 7,
    test: 3,
    seed: 5,
};

/// Ten lists of a hundred words each; those of language l begin with its letter.
fn lists() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (language, item) in COLLECTION.files.iter().enumerate() {
        let letter = (b'a' + language as u8) as char;
        let words: Vec<String> = (0..100_u8)
            .map(|i| {
                format!(
                    "{letter}{}{}",
                    (b'k' + i / 10) as char,
                    (b'k' + i % 10) as char
                )
            })
            .collect();
        write(&folder, item.name, words.join("\n").as_bytes());
    }
    folder
}

fn drawn(source: &super::Texts) -> (Vec<u32>, Vec<u32>) {
    let mut examples = Examples::default();
    let indices: Vec<u32> = (0..source.len() as u32).collect();
    source.fill::<f32>(&indices, &mut examples);
    (
        examples.inputs.data().to_vec(),
        examples.targets.data().to_vec(),
    )
}

#[test]
fn a_token_is_the_hash_of_the_trigram_that_ends_there() {
    let expected: Vec<u32> = ["  h", " hé", "héj", "éj "]
        .iter()
        .map(|trigram| crc32fast::hash(trigram.as_bytes()) % 10_000)
        .collect();
    assert_eq!(LanguageWords::tokens("héj ").collect::<Vec<_>>(), expected);
}

#[test]
fn texts_are_interleaved_labelled_and_of_their_language() {
    let data = SMALL.at(lists()).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (70, 30));
    assert_eq!(data.train.steps(), 12);
    let (tokens, labels) = drawn(&data.train);
    for sample in 0..70 {
        let language = sample % 10;
        assert_eq!(labels[sample * 12..][..12], [language as u32; 12]);
        let first = format!("  {}", (b'a' + language as u8) as char);
        assert_eq!(
            tokens[sample * 12],
            crc32fast::hash(first.as_bytes()) % 10_000
        );
    }
}

#[test]
fn texts_follow_from_the_seed_alone() {
    let folder = lists();
    let of = |options: LanguageOptions| drawn(&options.at(&folder).unwrap().train).0;
    let first = of(SMALL);
    assert_eq!(of(SMALL), first);
    assert_ne!(of(LanguageOptions { seed: 6, ..SMALL }), first);
    let more = of(LanguageOptions { train: 9, ..SMALL });
    assert_eq!(
        more[..first.len()],
        first,
        "more texts leave the first as they are"
    );
}

#[test]
fn names_lists_that_are_missing_or_too_short() {
    let folder = lists();
    std::fs::remove_file(folder.path().join("dutch")).unwrap();
    let text = SMALL.at(&folder).unwrap_err().to_string();
    assert!(text.contains("it lacks dutch"), "{text}");
    assert!(text.contains("`sudo apt-get install wdutch`"), "{text}");
    write(&folder, "dutch", b"het's\n");
    match SMALL.at(&folder).unwrap_err() {
        DataError::FewWords { path, purpose, .. } => {
            assert!(path.ends_with("dutch"));
            assert_eq!(purpose, "training");
        }
        other => panic!("{other}"),
    }
}
