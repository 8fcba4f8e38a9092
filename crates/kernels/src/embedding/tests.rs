//! Gather and scatter against plain loops, on every level, and the scatter in parts.

use super::Table;
use crate::float::Float;
use crate::random::Random;
use crate::simd::Isa;

/// Vocabulary, features and rows.
const CASES: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (5, 0, 3),
    (5, 3, 0),
    (5, 4, 40),
    (7, 17, 33),
    (2, 64, 100),
    (300, 8, 64),
    (3, 33, 9),
];

fn problem<T: Float>(
    (vocabulary, features, rows): (usize, usize, usize),
) -> (Table, Vec<T>, Vec<u32>, Vec<T>) {
    let mut random = Random {
        seed: 5,
        stream: features as u32,
        step: rows as u32,
    }
    .sequence();
    let mut numbers = |len: usize| {
        (0..len)
            .map(|_| random.uniform::<T>() - T::from_f64(0.5))
            .collect::<Vec<T>>()
    };
    let (table, dy) = (numbers(vocabulary * features), numbers(rows * features));
    let tokens = (0..rows)
        .map(|_| random.below(vocabulary as u64) as u32)
        .collect();
    (
        Table {
            vocabulary,
            features,
        },
        table,
        tokens,
        dy,
    )
}

fn gathers<T: Float>() {
    for case in CASES {
        let (sizes, table, tokens, dy) = problem::<T>(case);
        let mut y = vec![T::NAN; dy.len()];
        sizes.gather(&table, &tokens, &mut y);
        for (row, &token) in tokens.iter().enumerate() {
            for j in 0..sizes.features {
                assert!(y[row * sizes.features + j] == table[token as usize * sizes.features + j]);
            }
        }
    }
}

fn scatters<T: Float>(isa: Isa) {
    for case in CASES {
        let (sizes, table, tokens, dy) = problem::<T>(case);
        let (mut expected, features) = (table.clone(), sizes.features);
        for (row, &token) in tokens.iter().enumerate() {
            for j in 0..features {
                expected[token as usize * features + j] += dy[row * features + j];
            }
        }
        for cut in [0, sizes.vocabulary / 2, sizes.vocabulary] {
            let mut sums = table.clone();
            let (low, high) = sums.split_at_mut(cut * features);
            sizes.scatter_add_part_on(isa, &dy, &tokens, 0..cut, low);
            sizes.scatter_add_part_on(isa, &dy, &tokens, cut..sizes.vocabulary, high);
            assert!(sums == expected, "{isa} {case:?} cut at {cut}");
        }
    }
}

#[test]
fn gather_copies_the_rows() {
    gathers::<f32>();
    gathers::<f64>();
}

#[test]
fn scatter_adds_in_the_order_of_the_rows_whole_and_in_parts() {
    for isa in Isa::available() {
        scatters::<f32>(isa);
        scatters::<f64>(isa);
    }
}

#[test]
fn clear_zeroes_the_rows_of_the_tokens_alone() {
    let sizes = Table {
        vocabulary: 4,
        features: 2,
    };
    let mut table = [1.0_f32; 8];
    sizes.clear(&[3, 1, 3], &mut table);
    assert_eq!(table, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
#[should_panic(expected = "token 4 in row 2, but the vocabulary has 4 tokens")]
fn gather_refuses_a_token_beyond_the_vocabulary() {
    Table {
        vocabulary: 4,
        features: 1,
    }
    .gather(&[0.0_f32; 4], &[0, 3, 4], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "token 9 in row 0, but the vocabulary has 4 tokens")]
fn scatter_refuses_a_token_beyond_the_vocabulary_even_in_another_part() {
    Table {
        vocabulary: 4,
        features: 1,
    }
    .scatter_add_part(&[1.0_f32], &[9], 0..1, &mut [0.0]);
}
