//! Every vector operation against the scalar meaning in its documentation, on every level of this machine.

use super::{Isa, Kernel, MAX_LANES, Simd};
use crate::float::Float;
use crate::random::{MANY, Random};

/// Numbers with signs, zeros, halves, denormals, infinities and NaN among them.
fn samples<T: Float>() -> Vec<T> {
    let mut values = vec![
        0.0, -0.0, 0.5, -0.5, 1.5, -2.5, 1.0, -1.0, 3.25, -7.75, 100.125, 1e-3, 1e30, -1e30, 1e-30,
    ];
    values.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    let mut values: Vec<T> = values.into_iter().map(T::from_f64).collect();
    values.push(T::MIN_POSITIVE / T::from_f64(4.0));
    values
}

/// Runs every lane-wise operation on the pairs of [`samples`], and loads and stores of every length.
struct LaneWise<T>(std::marker::PhantomData<T>);

type Unary<S> = fn(S, <S as Simd>::Vector) -> <S as Simd>::Vector;
type Binary<S> = fn(S, <S as Simd>::Vector, <S as Simd>::Vector) -> <S as Simd>::Vector;
type Comparison<S> = fn(S, <S as Simd>::Vector, <S as Simd>::Vector) -> <S as Simd>::Mask;

type UnaryCase<S> = (Unary<S>, fn(<S as Simd>::Elem) -> <S as Simd>::Elem);
type BinaryCase<S> = (
    Binary<S>,
    fn(<S as Simd>::Elem, <S as Simd>::Elem) -> <S as Simd>::Elem,
);
type ComparisonCase<S> = (
    Comparison<S>,
    fn(<S as Simd>::Elem, <S as Simd>::Elem) -> bool,
);

impl<T: Float> Kernel<T> for LaneWise<T> {
    type Output = ();

    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let samples = samples::<T>();
        let binary: [BinaryCase<S>; 7] = [
            (S::add, |a, b| a + b),
            (S::sub, |a, b| a - b),
            (S::mul, |a, b| a * b),
            (S::div, |a, b| a / b),
            (S::min, |a, b| if a < b { a } else { b }),
            (S::max, |a, b| if a > b { a } else { b }),
            (S::copysign, T::copysign),
        ];
        let unary: [UnaryCase<S>; 4] = [
            (S::neg, |a| -a),
            (S::abs, T::abs),
            (S::sqrt, T::sqrt),
            (S::round, T::round),
        ];
        let comparison: [ComparisonCase<S>; 3] = [
            (S::lt, |a, b| a < b),
            (S::le, |a, b| a <= b),
            (S::eq, |a, b| a == b),
        ];
        for shift in 0..samples.len() {
            let mut a = [T::ZERO; MAX_LANES];
            for (lane, value) in a.iter_mut().enumerate() {
                *value = samples[(lane + shift) % samples.len()];
            }
            for &second in &samples {
                let mut b = [second; MAX_LANES];
                b[1] = -second;
                let (va, vb) = (simd.load(&a), simd.load(&b));
                for (case, (vector, scalar)) in binary.into_iter().enumerate() {
                    assert_lanes(simd, vector(simd, va, vb), &format!("binary {case}"), |i| {
                        scalar(a[i], b[i])
                    });
                }
                for (case, (vector, scalar)) in comparison.into_iter().enumerate() {
                    let mask = vector(simd, va, vb);
                    let bits = simd.mask_bits(mask);
                    for i in 0..S::LANES {
                        assert_eq!(
                            bits >> i & 1 == 1,
                            scalar(a[i], b[i]),
                            "comparison {case}: {} {}",
                            a[i],
                            b[i]
                        );
                    }
                    let chosen = simd.select(mask, va, vb);
                    assert_lanes(simd, chosen, "select", |i| {
                        if scalar(a[i], b[i]) { a[i] } else { b[i] }
                    });
                }
            }
            for (case, (vector, scalar)) in unary.into_iter().enumerate() {
                assert_lanes(
                    simd,
                    vector(simd, simd.load(&a)),
                    &format!("unary {case}"),
                    |i| scalar(a[i]),
                );
            }
        }
        partial_moves(simd);
        bytes(simd);
        lookups(simd);
        transposition(simd);
        exponents(simd);
        reductions(simd);
    }
}

fn bytes<S: Simd>(simd: S) {
    let source: Vec<u8> = (0..MAX_LANES as u8 + 3).map(|i| 255 - 7 * i).collect();
    for count in 0..=source.len() {
        let loaded = simd.load_bytes(&source[..count]);
        assert_lanes(simd, loaded, &format!("load_bytes of {count}"), |i| {
            let byte = if i < count { source[i] } else { 0 };
            S::Elem::from_f64(f64::from(byte))
        });

        let mut stored = vec![200; count];
        simd.store_bytes(simd.load_bytes(&source), &mut stored);
        let written = count.min(S::LANES);
        assert_eq!(
            stored[..written],
            source[..written],
            "store_bytes of {count}"
        );
        assert!(stored[written..].iter().all(|byte| *byte == 200));
    }
}

fn lookups<S: Simd>(simd: S) {
    let number = |i: usize| S::Elem::from_usize(i);
    let table: Vec<S::Elem> = (0..S::LANES).map(|i| number(100 + i)).collect();
    let index: Vec<S::Elem> = (0..S::LANES).map(|i| number(7 * i)).collect();
    for offset in (0..=3 * S::LANES).chain([255, 1 << 20]) {
        let found = simd.lookup(
            simd.load(&table),
            simd.load(&index),
            simd.splat(number(offset)),
        );
        assert_lanes(simd, found, &format!("lookup from {offset} on"), |i| {
            table[(7 * i + offset) % S::LANES]
        });
    }
}

/// NaNs count as equal whatever their bits.
fn assert_lanes<S: Simd>(
    simd: S,
    vector: S::Vector,
    what: &str,
    expected: impl Fn(usize) -> S::Elem,
) {
    let mut lanes = [S::Elem::ZERO; MAX_LANES];
    simd.store(vector, &mut lanes);
    for i in 0..S::LANES {
        let (got, expected) = (lanes[i], expected(i));
        let same =
            got.to_bits_u64() == expected.to_bits_u64() || (got.is_nan() && expected.is_nan());
        assert!(
            same,
            "{}: {what}, lane {i}: got {got}, expected {expected}",
            S::ISA
        );
    }
}

fn partial_moves<S: Simd>(simd: S) {
    let source: Vec<S::Elem> = (1..=S::LANES + 2).map(S::Elem::from_usize).collect();
    for count in 0..=S::LANES + 2 {
        let v = simd.load_partial(&source[..count]);
        assert_lanes(simd, v, "load_partial", |i| {
            if i < count { source[i] } else { S::Elem::ZERO }
        });
        let filled = simd.load_partial_or(&source[..count], S::Elem::INFINITY);
        assert_lanes(simd, filled, "load_partial_or", |i| {
            if i < count {
                source[i]
            } else {
                S::Elem::INFINITY
            }
        });
        assert!(simd.first(simd.load(&source)) == source[0]);
        let mut target = vec![S::Elem::NEG_INFINITY; S::LANES + 2];
        simd.store_partial(simd.load(&source), &mut target[..count]);
        for (i, &x) in target.iter().enumerate() {
            let expected = if i < count.min(S::LANES) {
                source[i]
            } else {
                S::Elem::NEG_INFINITY
            };
            assert!(x == expected, "store_partial of {count}, element {i}");
        }
    }
}

fn transposition<S: Simd>(simd: S) {
    let (from, to) = (S::LANES + 3, S::LANES + 1);
    let source: Vec<S::Elem> = (0..S::LANES * from).map(S::Elem::from_usize).collect();
    let mut target = vec![S::Elem::NEG_INFINITY; S::LANES * to];
    // SAFETY: both hold LANES rows of at least LANES elements.
    unsafe { simd.transpose_square(source.as_ptr(), from, target.as_mut_ptr(), to) };
    for (index, &x) in target.iter().enumerate() {
        let (j, i) = (index / to, index % to);
        let expected = if i < S::LANES {
            source[i * from + j]
        } else {
            S::Elem::NEG_INFINITY
        };
        assert!(
            x == expected,
            "{}: transpose_square, row {j}, column {i}",
            S::ISA
        );
    }
}

fn exponents<S: Simd>(simd: S) {
    for n in -126_i32..=127 {
        let power = S::Elem::from_f64(2.0_f64.powi(n));
        let exponent = simd.splat(S::Elem::from_f64(f64::from(n)));
        assert_lanes(simd, simd.exp2_integral(exponent), "exp2_integral", |_| {
            power
        });
        let x = S::Elem::from_f64(1.375) * power;
        let (m, e) = simd.split_exponent(simd.splat(x));
        assert_lanes(simd, m, "mantissa", |_| S::Elem::from_f64(0.6875));
        assert_lanes(simd, e, "exponent", |_| S::Elem::from_f64(f64::from(n + 1)));
    }
    let product = simd.mul_add(
        simd.splat(S::Elem::from_f64(3.0)),
        simd.splat(S::Elem::from_f64(5.0)),
        simd.zero(),
    );
    assert_lanes(simd, product, "mul_add", |_| S::Elem::from_f64(15.0));
    let squares = simd.map_lanes(simd.splat(S::Elem::from_f64(3.0)), |x| x * x);
    assert_lanes(simd, squares, "map_lanes", |_| S::Elem::from_f64(9.0));
}

fn reductions<S: Simd>(simd: S) {
    // Of such different sizes that every order of adding rounds differently.
    let lanes: Vec<S::Elem> = (0..S::LANES)
        .map(|i| S::Elem::from_f64(1.0 + 7.3_f64.powi(i as i32)))
        .collect();
    let mut halves = lanes.clone();
    while halves.len() > 1 {
        let half = halves.len() / 2;
        halves = (0..half).map(|i| halves[i] + halves[i + half]).collect();
    }
    let v = simd.load(&lanes);
    assert_eq!(
        simd.reduce_sum(v).to_bits_u64(),
        halves[0].to_bits_u64(),
        "{}: reduce_sum",
        S::ISA
    );
    for i in 0..S::LANES {
        let mut lanes = lanes.clone();
        lanes[i] = S::Elem::from_f64(1e30);
        assert!(
            simd.reduce_max(simd.load(&lanes)) == lanes[i],
            "{}: reduce_max, lane {i}",
            S::ISA
        );
    }
}

#[test]
fn operations_match_their_meaning() {
    for isa in Isa::ALL {
        if isa.is_available() {
            f32::dispatch_on(isa, LaneWise(std::marker::PhantomData));
        } else {
            println!("skipped: this machine lacks {isa}");
        }
    }
    f64::dispatch(LaneWise(std::marker::PhantomData));
}

#[test]
fn a_forced_level_is_given_or_refused_by_name() {
    assert_eq!(Isa::forced("scalar"), Ok(Isa::Scalar));
    let unknown = Isa::forced("sse2").unwrap_err();
    assert!(
        unknown.contains("PLYWOOD_ISA=sse2") && unknown.contains("scalar, avx2 and avx512"),
        "{unknown}"
    );
    for isa in Isa::ALL {
        let forced = Isa::forced(isa.name());
        if isa.is_available() {
            assert_eq!(forced, Ok(isa));
        } else {
            assert!(forced.unwrap_err().contains("this machine lacks"));
        }
    }
}

#[test]
fn the_active_level_is_one_of_this_machine() {
    assert!(Isa::available().any(|isa| isa == Isa::active()));
    assert_eq!(Isa::available().next(), Some(Isa::Scalar));
}

/// Random words of many elements at once, against those of single blocks.
struct ManyWords(u64);

impl<T: Float> Kernel<T> for ManyWords {
    type Output = [u32; MANY];

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) -> [u32; MANY] {
        simd.random_words(RANDOM, self.0)
    }
}

const RANDOM: Random = Random {
    seed: 0x1234_5678_9abc_def0,
    stream: 3,
    step: 7,
};

#[test]
fn random_words_are_those_of_the_blocks_on_every_level() {
    for first in [0, 5, (1 << 32) - 3, u64::MAX - 2] {
        let block = |i: usize| RANDOM.block(first.wrapping_add(i as u64));
        let expected: Vec<u32> = (0..MANY / 4).flat_map(block).collect();
        for isa in Isa::available() {
            assert_eq!(
                f32::dispatch_on(isa, ManyWords(first))[..],
                expected,
                "{isa}"
            );
        }
        assert_eq!(f64::dispatch(ManyWords(first))[..], expected);
    }
}
