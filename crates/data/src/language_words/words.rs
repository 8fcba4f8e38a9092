//! A word list, cut into words to learn from and words to be tested on.

use crate::DataError;
use plywood_kernels::random::Random;
use std::borrow::Cow;
use std::path::Path;

/// One word in so many is for testing.
const TEST_SHARE: u32 = 10;

/// The usable words of a list.
pub(super) struct Words {
    /// Words for training texts.
    pub(super) train: Pool,
    /// Words whose CRC-32 is a multiple of ten, for test texts.
    pub(super) test: Pool,
}

/// Words, all in one string.
#[derive(Default)]
pub(super) struct Pool {
    letters: String,
    /// Where each word ends in `letters`.
    ends: Vec<u32>,
}

impl Words {
    /// Reads a list of one word a line.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|source| DataError::Read {
            path: path.to_owned(),
            source,
        })?;
        let words = Self::of(&decode(&bytes));
        for (purpose, pool) in [("training", &words.train), ("testing", &words.test)] {
            if pool.ends.is_empty() {
                return Err(DataError::FewWords {
                    path: path.to_owned(),
                    purpose,
                    expected: 1,
                    found: 0,
                });
            }
        }
        Ok(words)
    }

    /// The words of two letters or more and nothing but letters, in lower case.
    fn of(list: &str) -> Self {
        let (mut train, mut test) = (Pool::default(), Pool::default());
        let mut word = String::new();
        for line in list.lines() {
            if line.chars().nth(1).is_none() || !line.chars().all(char::is_alphabetic) {
                continue;
            }
            word.clear();
            word.extend(line.chars().flat_map(char::to_lowercase));
            let is_test = crc32fast::hash(word.as_bytes()).is_multiple_of(TEST_SHARE);
            let pool = if is_test { &mut test } else { &mut train };
            pool.push(&word);
        }
        Self { train, test }
    }
}

impl Pool {
    fn push(&mut self, word: &str) {
        self.letters.push_str(word);
        self.ends.push(self.letters.len() as u32);
    }

    fn word(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.letters[start as usize..self.ends[index] as usize]
    }

    /// Words drawn at random, each as likely as any other, joined by spaces and cut to `characters`.
    pub(super) fn text(&self, random: Random, characters: usize, text: &mut String) {
        text.clear();
        let (mut sequence, mut count) = (random.sequence(), 0);
        while count < characters {
            let word = self.word(sequence.below(self.ends.len() as u64) as usize);
            if count > 0 {
                text.push(' ');
                count += 1;
            }
            text.push_str(word);
            count += word.chars().count();
        }
        if let Some((end, _)) = text.char_indices().nth(characters) {
            text.truncate(end);
        }
    }
}

/// The text of a list: UTF-8, or else Latin-1, in which Debian's `wswedish` comes.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Pool, Words, decode};
    use crate::stream;

    fn all(pool: &Pool) -> Vec<&str> {
        (0..pool.ends.len()).map(|index| pool.word(index)).collect()
    }

    #[test]
    fn keeps_words_of_two_letters_or_more_in_lower_case() {
        let words = Words::of("a\nAß\nit's\nÉcole\r\nan\nx-ray\n\nno1\nzwei");
        let mut kept = [all(&words.train), all(&words.test)].concat();
        kept.sort_unstable();
        assert_eq!(kept, ["an", "aß", "zwei", "école"]);
    }

    #[test]
    fn cuts_by_the_words_hash() {
        let list: Vec<String> = (0..26_u8)
            .flat_map(|a| {
                (0..26_u8).map(move |b| format!("{}{}", (b'a' + a) as char, (b'a' + b) as char))
            })
            .collect();
        let words = Words::of(&list.join("\n"));
        let is_test = |word: &str| crc32fast::hash(word.as_bytes()).is_multiple_of(10);
        assert!(all(&words.test).iter().all(|w| is_test(w)));
        assert!(all(&words.train).iter().all(|w| !is_test(w)));
        let (train, test) = (words.train.ends.len(), words.test.ends.len());
        assert_eq!(train + test, 676);
        assert!((40..100).contains(&test), "{test}");
    }

    #[test]
    fn reads_latin_1_where_it_is_not_utf_8() {
        assert_eq!(decode("å".as_bytes()), "å");
        assert_eq!(decode(b"\xe5\n"), "å\n");
    }

    #[test]
    fn a_text_has_as_many_characters_as_asked_for() {
        let pool = Words::of("äöü\nßß\nabcd").train;
        let mut text = String::new();
        for step in 0..50 {
            pool.text(stream::of(1, 0, step), step as usize, &mut text);
            assert_eq!(text.chars().count(), step as usize, "{text}");
            assert!(!text.starts_with(' ') && !text.contains("  "), "{text}");
        }
    }
}
