//! Texts of invented languages, each with a few words of its own.

use crate::{Dataset, stream};
use plywood_kernels::random::{Random, Sequence};
use plywood_shape::{Class, Sequence as SequenceOf, Token};

/// Words of a language.
const WORDS: u64 = 8;
/// Tokens of a word.
const LETTERS: u64 = 3;
/// One token in so many is replaced by any.
const NOISE: u64 = 10;
/// The languages are the same for every user; nothing hangs on the number.
const LANGUAGE_SEED: u64 = 0x706c_7977_6f6f_6421;

/// Texts of `LANGUAGES` invented languages over `VOCABULARY` tokens: words of three tokens, eight of them a language, one
/// after the other, with one token in ten replaced by any. The label of every step is the language.
///
/// Sample `i` is of language `i % LANGUAGES` and follows from (seed, i) alone.
///
/// # Panics
/// If `VOCABULARY`, `LANGUAGES` or `steps` is zero.
///
/// ```
/// use plywood_data::{Source, synthetic};
///
/// let data = synthetic::texts::<50, 4>(100, 20, 1);
/// assert_eq!((data.len(), data.steps()), (100, 20));
/// ```
#[must_use]
pub fn texts<const VOCABULARY: usize, const LANGUAGES: usize>(
    samples: usize,
    steps: usize,
    seed: u64,
) -> Dataset<SequenceOf<Token<VOCABULARY>>, SequenceOf<Class<LANGUAGES>>> {
    let mut tokens = Vec::with_capacity(samples * steps);
    let mut labels = Vec::with_capacity(samples * steps);
    for sample in 0..samples {
        let language = sample % LANGUAGES;
        let random = stream::of(seed, stream::TEXTS, sample as u32);
        write(
            language,
            VOCABULARY as u64,
            steps,
            &mut random.sequence(),
            &mut tokens,
        );
        labels.extend(std::iter::repeat_n(language as u32, steps));
    }
    Dataset::sequences(steps, tokens, labels).expect("every step has a token and a label in range")
}

fn write(
    language: usize,
    vocabulary: u64,
    steps: usize,
    random: &mut Sequence,
    tokens: &mut Vec<u32>,
) {
    let dictionary = Random {
        seed: LANGUAGE_SEED,
        stream: stream::TEXTS,
        step: language as u32,
    };
    // A text may begin in the middle of a word.
    let mut letter = random.below(LETTERS);
    let mut word = random.below(WORDS);
    for _ in 0..steps {
        let noise = random.below(NOISE) == 0;
        let token = if noise {
            random.below(vocabulary)
        } else {
            u64::from(dictionary.at(word * LETTERS + letter)) % vocabulary
        };
        tokens.push(token as u32);
        letter += 1;
        if letter == LETTERS {
            (letter, word) = (0, random.below(WORDS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::texts;
    use crate::Source;
    use plywood_tensor::Examples;
    use std::collections::BTreeMap;

    const STEPS: usize = 16;

    fn drawn(samples: usize, seed: u64) -> (Vec<u32>, Vec<u32>) {
        let data = texts::<30, 4>(samples, STEPS, seed);
        let mut examples = Examples::default();
        data.fill::<f32>(&(0..samples as u32).collect::<Vec<_>>(), &mut examples);
        (
            examples.inputs.data().to_vec(),
            examples.targets.data().to_vec(),
        )
    }

    #[test]
    fn follow_from_the_seed() {
        let (tokens, labels) = drawn(20, 1);
        assert_eq!(drawn(20, 1).0, tokens);
        assert_ne!(drawn(20, 2).0, tokens);
        assert_eq!(drawn(10, 1).0, tokens[..10 * STEPS]);
        assert_eq!(labels[3 * STEPS - 1..][..2], [2, 3]);
    }

    /// Counting pairs of tokens tells the languages apart.
    #[test]
    fn can_be_learnt() {
        let (tokens, labels) = drawn(400, 1);
        let mut pairs = BTreeMap::new();
        for (text, labels) in tokens.chunks_exact(STEPS).zip(labels.chunks_exact(STEPS)) {
            for pair in text.windows(2) {
                pairs.entry(pair.to_vec()).or_insert([1.0_f64; 4])[labels[0] as usize] += 1.0;
            }
        }
        let (tokens, labels) = drawn(100, 2);
        let right = tokens
            .chunks_exact(STEPS)
            .zip(labels.chunks_exact(STEPS))
            .filter(|(text, labels)| {
                let mut scores = [0.0; 4];
                for counts in text.windows(2).filter_map(|pair| pairs.get(pair)) {
                    for (score, count) in scores.iter_mut().zip(counts) {
                        *score += (count / counts.iter().sum::<f64>()).ln();
                    }
                }
                let best = (0..4).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
                best == Some(labels[0] as usize)
            });
        let right = right.count();
        assert!(right > 90, "{right} of 100");
    }
}
