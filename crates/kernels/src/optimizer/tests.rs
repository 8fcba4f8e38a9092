//! Every rule against its formula in `f64` over some steps, and every pass cut into pieces.

use super::{Adagrad, Adam, RmsProp, Sgd, WeightDecay, sum_of_squares};
use crate::float::Float;
use crate::random::Random;
use crate::simd::on_every_level;

const STEPS: u64 = 20;
const LEN: usize = 37;

/// The rules under test, each with the numbers that set its forms apart.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Sgd(Sgd),
    Adam(Adam),
    RmsProp(RmsProp),
    Adagrad(Adagrad),
}

fn rules() -> Vec<Rule> {
    let sgd = Sgd {
        learning_rate: 0.1,
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
        gradient_scale: 1.0,
    };
    let adam = Adam {
        learning_rate: 0.01,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: WeightDecay::None,
        gradient_scale: 1.0,
    };
    let rms_prop = RmsProp {
        learning_rate: 0.01,
        alpha: 0.99,
        epsilon: 1e-8,
        momentum: 0.0,
        weight_decay: 0.0,
        gradient_scale: 1.0,
    };
    let adagrad = Adagrad {
        learning_rate: 0.1,
        learning_rate_decay: 0.0,
        epsilon: 1e-10,
        weight_decay: 0.0,
        gradient_scale: 1.0,
    };
    vec![
        Rule::Sgd(sgd),
        Rule::Sgd(Sgd {
            weight_decay: 0.05,
            gradient_scale: 0.5,
            ..sgd
        }),
        Rule::Sgd(Sgd {
            momentum: 0.9,
            weight_decay: 0.05,
            ..sgd
        }),
        Rule::Sgd(Sgd {
            momentum: 0.9,
            nesterov: true,
            gradient_scale: 0.5,
            ..sgd
        }),
        Rule::Adam(adam),
        Rule::Adam(Adam {
            weight_decay: WeightDecay::Penalty(0.1),
            gradient_scale: 0.5,
            ..adam
        }),
        Rule::Adam(Adam {
            weight_decay: WeightDecay::Decoupled(0.1),
            ..adam
        }),
        Rule::RmsProp(rms_prop),
        Rule::RmsProp(RmsProp {
            momentum: 0.9,
            weight_decay: 0.05,
            gradient_scale: 0.5,
            ..rms_prop
        }),
        Rule::Adagrad(adagrad),
        Rule::Adagrad(Adagrad {
            learning_rate_decay: 0.1,
            weight_decay: 0.05,
            gradient_scale: 0.5,
            ..adagrad
        }),
    ]
}

impl Rule {
    fn step<T: Float>(self, t: u64, p: &mut [T], g: &[T], state: [&mut [T]; 2]) {
        let [first, second] = state;
        match self {
            Self::Sgd(rule) => rule.step(p, g, first),
            Self::Adam(rule) => rule.step(t, p, g, first, second),
            Self::RmsProp(rule) => rule.step(p, g, first, second),
            Self::Adagrad(rule) => rule.step(t, p, g, first),
        }
    }

    /// One step of one parameter, as the rule's documentation writes it.
    fn naive(self, t: u64, p: f64, g: f64, [a, b]: [f64; 2]) -> (f64, [f64; 2]) {
        match self {
            Self::Sgd(rule) => {
                let g = rule.gradient_scale * g + rule.weight_decay * p;
                let v = rule.momentum * a + g;
                let direction = if rule.nesterov {
                    g + rule.momentum * v
                } else {
                    v
                };
                // Without momentum there is no state.
                let kept = if rule.momentum == 0.0 { a } else { v };
                (p - rule.learning_rate * direction, [kept, b])
            }
            Self::Adam(rule) => {
                let (penalty, decoupled) = match rule.weight_decay {
                    WeightDecay::None => (0.0, 0.0),
                    WeightDecay::Penalty(factor) => (factor, 0.0),
                    WeightDecay::Decoupled(factor) => (0.0, factor),
                };
                let g = rule.gradient_scale * g + penalty * p;
                let m = rule.beta_1 * a + (1.0 - rule.beta_1) * g;
                let v = rule.beta_2 * b + (1.0 - rule.beta_2) * g * g;
                let (m_hat, v_hat) = (
                    m / (1.0 - rule.beta_1.powi(t as i32)),
                    v / (1.0 - rule.beta_2.powi(t as i32)),
                );
                let p = p - rule.learning_rate * decoupled * p;
                (
                    p - rule.learning_rate * m_hat / (v_hat.sqrt() + rule.epsilon),
                    [m, v],
                )
            }
            Self::RmsProp(rule) => {
                let g = rule.gradient_scale * g + rule.weight_decay * p;
                let v = rule.alpha * a + (1.0 - rule.alpha) * g * g;
                let velocity = rule.momentum * b + g / (v.sqrt() + rule.epsilon);
                let kept = if rule.momentum == 0.0 { b } else { velocity };
                (p - rule.learning_rate * velocity, [v, kept])
            }
            Self::Adagrad(rule) => {
                let g = rule.gradient_scale * g + rule.weight_decay * p;
                let sum = a + g * g;
                let rate = rule.learning_rate / (1.0 + (t - 1) as f64 * rule.learning_rate_decay);
                (p - rate * g / (sum.sqrt() + rule.epsilon), [sum, b])
            }
        }
    }
}

fn values<T: Float>(stream: u32, step: u64) -> Vec<T> {
    let mut words = Random {
        seed: 17,
        stream,
        step: step as u32,
    }
    .sequence();
    (0..LEN)
        .map(|_| T::from_f64(words.uniform::<f64>() * 2.0 - 1.0))
        .collect()
}

fn check_rules<T: Float>(tolerance: f64) {
    for rule in rules() {
        let mut p = values::<T>(0, 0);
        let (mut a, mut b) = (vec![T::ZERO; LEN], vec![T::ZERO; LEN]);
        let mut naive: Vec<(f64, [f64; 2])> = p.iter().map(|p| (p.to_f64(), [0.0; 2])).collect();
        for t in 1..=STEPS {
            let g = values::<T>(1, t);
            rule.step(t, &mut p, &g, [&mut a, &mut b]);
            for (i, (p, state)) in naive.iter_mut().enumerate() {
                (*p, *state) = rule.naive(t, *p, g[i].to_f64(), *state);
            }
        }
        for (i, (expected, [first, second])) in naive.into_iter().enumerate() {
            for (got, expected) in [(p[i], expected), (a[i], first), (b[i], second)] {
                let close = (got.to_f64() - expected).abs() <= tolerance * (1.0 + expected.abs());
                assert!(close, "{rule:?}: element {i} is {got}, expected {expected}");
            }
        }
    }
}

#[test]
fn rules_are_those_of_their_formulas() {
    on_every_level(|| check_rules::<f32>(1e-5));
    check_rules::<f64>(1e-13);
}

#[test]
fn a_pass_does_not_depend_on_where_it_is_cut() {
    on_every_level(check_cuts);
}

fn check_cuts() {
    for rule in rules() {
        let g = values::<f32>(1, 1);
        let run = |cut: usize| {
            let (mut p, mut a, mut b) = (values::<f32>(0, 0), vec![0.0; LEN], vec![0.0; LEN]);
            let state = a.chunks_mut(cut).zip(b.chunks_mut(cut));
            for ((p, g), (a, b)) in p.chunks_mut(cut).zip(g.chunks(cut)).zip(state) {
                rule.step(3, p, g, [a, b]);
            }
            (p, a, b)
        };
        let whole = run(LEN);
        for cut in [1, 3, 4, 5, 8, 16, 17, 36] {
            assert!(run(cut) == whole, "{rule:?}, cut into {cut}");
        }
    }
}

#[test]
fn sum_of_squares_is_exact_on_integers_of_every_length() {
    for len in 0..70_u32 {
        let values: Vec<f32> = (0..len).map(|i| i as f32 - 20.0).collect();
        let expected: i64 = (0..i64::from(len)).map(|i| (i - 20) * (i - 20)).sum();
        assert_eq!(sum_of_squares(&values), expected as f64);
    }
}
