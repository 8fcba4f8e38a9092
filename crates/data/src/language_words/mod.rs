//! Short texts of ten languages, made from the word lists of Debian: which language is this?

#[cfg(test)]
mod tests;
mod words;

use crate::locate::{Collection, Item, Places, locate};
use crate::{DataError, Dataset, stream};
use plywood_shape::{Class, Sequence, Token};
use std::path::Path;
use words::{Pool, Words};

/// Buckets that trigrams are hashed into.
const BUCKETS: usize = 10_000;
/// How many languages there are.
const LANGUAGES: usize = 10;

/// Texts and their language, one token and one label a step.
type Texts = Dataset<Sequence<Token<BUCKETS>>, Sequence<Class<LANGUAGES>>>;

const fn list(name: &'static str, package: &'static str) -> Item {
    Item {
        name,
        // The packages are updated now and then; apt checks what it downloads.
        md5: None,
        package,
    }
}

static COLLECTION: Collection = Collection {
    name: "LanguageWords",
    folder: "words",
    system: "/usr/share/dict",
    files: &[
        list("american-english", "wamerican"),
        list("french", "wfrench"),
        list("ngerman", "wngerman"),
        list("italian", "witalian"),
        list("spanish", "wspanish"),
        list("portuguese", "wportuguese"),
        list("dutch", "wdutch"),
        list("danish", "wdanish"),
        list("swedish", "wswedish"),
        list("polish", "wpolish"),
    ],
    upstream: &[],
};

/// Texts of ten languages: words of one language drawn at random, joined by spaces and cut to 32 characters.
///
/// A step is a character. Its token is the hash of the trigram of characters that ends there
/// ([`LanguageWords::tokens`]), its label the language. Words are those of the list with two letters or more and nothing
/// but letters, in lower case. Those whose CRC-32 is a multiple of 10 are for testing only, so that no test word was
/// ever seen. Sample `i` is of language `i % 10`.
///
/// [`LanguageWords::load`] looks in `/usr/share/dict`, where the Debian packages `wamerican`, `wfrench`, `wngerman`,
/// `witalian`, `wspanish`, `wportuguese`, `wdutch`, `wdanish`, `wswedish` and `wpolish` put their lists, then in the
/// user's cache (`~/.cache/plywood/words`; the variable `PLYWOOD_CACHE` names another folder than `~/.cache/plywood`).
/// With the feature `download` it then takes what is missing out of the packages.
#[derive(Clone, Debug)]
pub struct LanguageWords {
    /// Texts to learn from.
    pub train: Texts,
    /// Texts to be tested on.
    pub test: Texts,
}

/// How the texts are made; the default is that of [`LanguageWords::load`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageOptions {
    /// Characters of a text: 32.
    pub steps: usize,
    /// Training texts a language: 4,000.
    pub train: usize,
    /// Test texts a language: 500.
    pub test: usize,
    /// Where the choice of words starts: 0.
    pub seed: u64,
}

impl Default for LanguageOptions {
    fn default() -> Self {
        Self {
            steps: 32,
            train: 4_000,
            test: 500,
            seed: 0,
        }
    }
}

impl LanguageWords {
    /// The languages, in the order of their labels.
    pub const CLASSES: [&'static str; LANGUAGES] = [
        "English",
        "French",
        "German",
        "Italian",
        "Spanish",
        "Portuguese",
        "Dutch",
        "Danish",
        "Swedish",
        "Polish",
    ];

    /// Finds the word lists and makes 40,000 training and 5,000 test texts of 32 characters.
    ///
    /// # Errors
    /// If a list is nowhere ([`DataError::NotFound`] says where it was looked for and what mends it), cannot be read or
    /// has too few words.
    pub fn load() -> Result<Self, DataError> {
        LanguageOptions::default().load()
    }

    /// Likewise, with the word lists of `folder`.
    ///
    /// # Errors
    /// Likewise.
    pub fn at(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        LanguageOptions::default().at(folder)
    }

    /// The tokens of a text, one a character: the CRC-32 of the UTF-8 of the three characters that end there, modulo
    /// 10,000. Two spaces are taken to stand before the text.
    pub fn tokens(text: &str) -> impl Iterator<Item = u32> {
        let mut trigram = [' '; 3];
        text.chars().map(move |character| {
            trigram = [trigram[1], trigram[2], character];
            let mut hasher = crc32fast::Hasher::new();
            for character in trigram {
                hasher.update(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            hasher.finalize() % BUCKETS as u32
        })
    }
}

impl LanguageOptions {
    /// Finds the word lists and makes the texts.
    ///
    /// # Errors
    /// As [`LanguageWords::load`].
    pub fn load(self) -> Result<LanguageWords, DataError> {
        self.from(&Places::of(&COLLECTION, None))
    }

    /// Makes the texts from the word lists of `folder`.
    ///
    /// # Errors
    /// As [`LanguageWords::load`].
    pub fn at(self, folder: impl AsRef<Path>) -> Result<LanguageWords, DataError> {
        self.from(&Places::of(&COLLECTION, Some(folder.as_ref())))
    }

    fn from(self, places: &Places) -> Result<LanguageWords, DataError> {
        let mut train = vec![0; LANGUAGES * self.train * self.steps];
        let mut test = vec![0; LANGUAGES * self.test * self.steps];
        let paths = locate(&COLLECTION, places)?;
        for (language, path) in paths.iter().enumerate() {
            let words = Words::read(path)?;
            self.write(&words.train, stream::TRAIN_WORDS, language, &mut train);
            self.write(&words.test, stream::TEST_WORDS, language, &mut test);
        }
        Ok(LanguageWords {
            train: self.labelled(train)?,
            test: self.labelled(test)?,
        })
    }

    /// Writes the tokens of every text of `language` to its place.
    fn write(self, words: &Pool, stream: u32, language: usize, tokens: &mut [u32]) {
        let mut text = String::new();
        let texts = tokens.chunks_exact_mut(self.steps.max(1)).enumerate();
        for (sample, steps) in texts.skip(language).step_by(LANGUAGES) {
            words.text(
                stream::of(self.seed, stream, sample as u32),
                self.steps,
                &mut text,
            );
            for (step, token) in steps.iter_mut().zip(LanguageWords::tokens(&text)) {
                *step = token;
            }
        }
    }

    fn labelled(self, tokens: Vec<u32>) -> Result<Texts, DataError> {
        let steps = self.steps.max(1);
        let label = |step: usize| (step / steps % LANGUAGES) as u32;
        let labels: Vec<u32> = (0..tokens.len()).map(label).collect();
        Dataset::sequences(self.steps, tokens, labels)
    }
}
