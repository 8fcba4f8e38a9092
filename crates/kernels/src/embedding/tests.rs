//! Gather and scatter against plain loops, on every level, and the scatter in parts.

use super::{Scatter, clear, gather, scatter_add, scatter_add_part, scatter_add_part_on};
use crate::float::Float;
use crate::random::Random;
use crate::simd::Isa;

/// Vocabulary, features and rows.
const CASES: [(usize, usize, usize); 7] = [
    (1, 1, 1),
    (5, 3, 0),
    (5, 4, 40),
    (7, 17, 33),
    (2, 64, 100),
    (300, 8, 64),
    (3, 33, 9),
];

struct Problem<T> {
    features: usize,
    table: Vec<T>,
    tokens: Vec<u32>,
    dy: Vec<T>,
}

fn problem<T: Float>((vocabulary, features, rows): (usize, usize, usize)) -> Problem<T> {
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
    Problem {
        features,
        table,
        tokens,
        dy,
    }
}

fn gathers<T: Float>() {
    for case in CASES {
        let Problem {
            features,
            table,
            tokens,
            dy,
        } = problem::<T>(case);
        let mut y = vec![T::NAN; dy.len()];
        gather(&tokens, &table, features, &mut y);
        for (row, &token) in tokens.iter().enumerate() {
            for j in 0..features {
                assert!(y[row * features + j] == table[token as usize * features + j]);
            }
        }
    }
}

fn scatters<T: Float>(isa: Isa) {
    for case in CASES {
        let Problem {
            features,
            table,
            tokens,
            dy,
        } = problem::<T>(case);
        let mut expected = table.clone();
        for (row, &token) in tokens.iter().enumerate() {
            for j in 0..features {
                expected[token as usize * features + j] += dy[row * features + j];
            }
        }
        for cut in [0, case.0 / 2, case.0] {
            let mut sums = table.clone();
            let (low, high) = sums.split_at_mut(cut * features);
            for (first, dpart) in [(0, low), (cut, high)] {
                scatter_add_part_on(
                    isa,
                    Scatter {
                        tokens: &tokens,
                        dy: &dy,
                        features,
                        first,
                        dpart,
                    },
                );
            }
            assert!(sums == expected, "{isa} {case:?} cut at {cut}");
        }
        let mut sums = table.clone();
        scatter_add(&tokens, &dy, features, &mut sums);
        assert!(sums == expected, "{case:?}");
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
fn a_part_takes_its_own_tokens_alone() {
    let mut part = [0.0_f32; 2];
    scatter_add_part(
        &[3, 1, 9, 2, 1],
        &[1.0, 2.0, 4.0, 8.0, 16.0],
        1,
        1,
        &mut part,
    );
    assert_eq!(part, [18.0, 8.0]);
}

#[test]
fn clear_zeroes_the_rows_of_the_tokens_alone() {
    let mut table = [1.0_f32; 8];
    clear(&[3, 1, 3], 2, &mut table);
    assert_eq!(table, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
#[should_panic(expected = "token 4 in row 2, but the vocabulary has 4 tokens")]
fn gather_refuses_a_token_beyond_the_vocabulary() {
    gather(&[0, 3, 4], &[0.0_f32; 4], 1, &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "token 9 in row 1, but the vocabulary has 2 tokens")]
fn scatter_refuses_a_token_beyond_the_vocabulary() {
    scatter_add(&[0, 9], &[1.0_f32; 2], 1, &mut [0.0; 2]);
}
