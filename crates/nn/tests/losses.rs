//! The losses and their gradients against PyTorch and Keras, in f64, and what else they promise.

use plywood_nn::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError, Weighted,
};
use plywood_shape::{Class, Image, Logits, Probabilities, Real, Sample, Sequence, Vector};
use plywood_testing::close::{assert_close_named, assert_same_bits};
use plywood_testing::{Case, Golden};

const TOLERANCE: f64 = 1e-12;
/// Classes of the golden files, and features of their real rows.
const CLASSES: usize = 4;
const FEATURES: usize = 3;

/// Value and gradient of a loss over all rows at once.
fn evaluated<O: Sample, G: Sample>(
    loss: &impl Loss<O, G>,
    output: &[f64],
    targets: &[G::Element<f64>],
    weights: &[f64],
) -> (f64, Vec<f64>) {
    let mut gradient = vec![f64::NAN; output.len()];
    let value = loss.evaluate(output, targets, weights, Some(&mut gradient));
    let alone = loss.evaluate(output, targets, weights, None);
    assert_eq!(value, alone, "the gradient changes nothing of the value");
    (value, gradient)
}

/// Checks one case; `G` says how its targets are stored.
fn check<O: Sample, G: Sample>(case: &Case, loss: &impl Loss<O, G>, targets: &[G::Element<f64>]) {
    let total: f64 = case.values("weights").iter().sum();
    let shares: Vec<f64> = case
        .values("weights")
        .iter()
        .map(|weight| weight / total)
        .collect();
    let (value, gradient) = evaluated(loss, case.values("output"), targets, &shares);
    assert_close_named(
        &case.name,
        &[value],
        case.values("value"),
        TOLERANCE,
        TOLERANCE,
    );
    assert_close_named(
        &case.name,
        &gradient,
        case.values("doutput"),
        TOLERANCE,
        TOLERANCE,
    );
}

/// The cases of a loss from both frameworks.
fn cases(loss: &str) -> Vec<Case> {
    let of = |framework| Golden::open(&format!("{framework}/{loss}")).cases;
    let all: Vec<Case> = ["pytorch", "keras"].into_iter().flat_map(of).collect();
    assert!(all.len() >= 4, "{loss}: plain and weighted rows of both");
    all
}

#[test]
fn sparse_cross_entropy_is_the_frameworks() {
    for case in cases("sparse_cross_entropy") {
        let smoothed = CrossEntropy.label_smoothing(case.number("label_smoothing"));
        check::<Logits<CLASSES>, Class<CLASSES>>(&case, &smoothed, &case.indices("targets"));
        if case.number("label_smoothing") == 0.0 {
            check::<Logits<CLASSES>, Class<CLASSES>>(
                &case,
                &CrossEntropy,
                &case.indices("targets"),
            );
        }
    }
}

#[test]
fn dense_cross_entropy_is_the_frameworks() {
    for case in cases("dense_cross_entropy") {
        let loss = CrossEntropy.label_smoothing(case.number("label_smoothing"));
        check::<Logits<CLASSES>, Probabilities<CLASSES>>(&case, &loss, case.values("targets"));
    }
}

#[test]
fn binary_cross_entropy_is_the_frameworks() {
    for case in cases("binary_cross_entropy") {
        let targets = case.values("targets");
        check::<Logits<FEATURES>, Probabilities<FEATURES>>(&case, &BinaryCrossEntropy, targets);
    }
}

#[test]
fn losses_of_real_numbers_are_the_frameworks() {
    for case in cases("mse") {
        check::<Real<FEATURES>, Real<FEATURES>>(&case, &MeanSquaredError, case.values("targets"));
        check::<Image<1, 3, 1>, Image<1, 3, 1>>(&case, &MeanSquaredError, case.values("targets"));
    }
    for case in cases("mae") {
        check::<Real<FEATURES>, Real<FEATURES>>(&case, &MeanAbsoluteError, case.values("targets"));
    }
    for case in cases("huber") {
        let loss = Huber {
            delta: case.number("delta"),
        };
        check::<Vector<FEATURES>, Vector<FEATURES>>(&case, &loss, case.values("targets"));
    }
}

#[test]
fn binary_label_smoothing_moves_targets_towards_a_half() {
    let (output, targets, weights) = ([0.3, -2.0, 5.0], [1.0, 0.0, 0.25], [1.0]);
    let moved = targets.map(|t: f64| 0.8 * t + 0.1);
    let smoothed = BinaryCrossEntropy.label_smoothing(0.2);
    let found = evaluated::<Logits<3>, Probabilities<3>>(&smoothed, &output, &targets, &weights);
    let expected =
        evaluated::<Logits<3>, Probabilities<3>>(&BinaryCrossEntropy, &output, &moved, &weights);
    assert!((found.0 - expected.0).abs() < TOLERANCE);
    assert_close_named("gradient", &found.1, &expected.1, 0.0, TOLERANCE);
}

/// 70 rows, so that every way of cutting rows is met.
const ROWS: usize = 70;

fn numbers(seed: u64, len: usize) -> Vec<f64> {
    plywood_testing::random::fill(seed, len)
}

/// A masked row may hold anything; rows count by their weight; blocks add up to the whole.
fn keeps_its_promises<O: Sample, G: Sample>(
    loss: &impl Loss<O, G>,
    targets: &[G::Element<f64>],
    seed: u64,
) {
    let width = O::ROW;
    let mut output = numbers(seed, ROWS * width);
    let mut weights: Vec<f64> = numbers(seed + 1, ROWS).iter().map(|x| x.abs()).collect();
    weights[5] = 0.0;
    let (value, gradient) = evaluated(loss, &output, targets, &weights);
    output[5 * width..6 * width].fill(f64::NAN);
    let (masked, masked_gradient) = evaluated(loss, &output, targets, &weights);
    assert_eq!(value, masked);
    assert_same_bits(&gradient, &masked_gradient);
    assert!(
        masked_gradient[5 * width..6 * width]
            .iter()
            .all(|&g| g == 0.0)
    );

    let mut parts = 0.0;
    let target_row = targets.len() / ROWS;
    for (start, end) in [(0, 1), (1, 40), (40, ROWS)] {
        let (part, part_gradient) = evaluated(
            loss,
            &output[start * width..end * width],
            &targets[start * target_row..end * target_row],
            &weights[start..end],
        );
        assert_same_bits(&part_gradient, &gradient[start * width..end * width]);
        parts += part;
    }
    assert!((parts - value).abs() < 1e-12 * value.abs());
    assert_eq!(loss.evaluate::<f64>(&[], &[], &[], None), 0.0);
}

#[test]
fn all_losses_keep_their_promises() {
    let classes: Vec<u32> = (0..ROWS as u32).map(|row| row % 5).collect();
    let reals = numbers(1, ROWS * 5);
    let shares: Vec<f64> = reals.iter().map(|x| x.abs()).collect();
    keeps_its_promises::<Logits<5>, Class<5>>(&CrossEntropy, &classes, 2);
    keeps_its_promises::<Logits<5>, Class<5>>(&CrossEntropy.label_smoothing(0.1), &classes, 3);
    keeps_its_promises::<Logits<5>, Probabilities<5>>(&CrossEntropy, &shares, 4);
    keeps_its_promises::<Logits<5>, Probabilities<5>>(&BinaryCrossEntropy, &shares, 5);
    keeps_its_promises::<Real<5>, Real<5>>(&MeanSquaredError, &reals, 6);
    keeps_its_promises::<Real<5>, Real<5>>(&MeanAbsoluteError, &reals, 7);
    keeps_its_promises::<Real<5>, Real<5>>(&Huber { delta: 0.5 }, &reals, 8);
    keeps_its_promises::<Sequence<Real<5>>, Sequence<Real<5>>>(&MeanSquaredError, &reals, 9);
    keeps_its_promises::<Sequence<Logits<5>>, Sequence<Class<5>>>(&CrossEntropy, &classes, 10);
    let classes: Vec<f64> = classes.iter().map(|&class| f64::from(class)).collect();
    let pairs = beside((&classes, 1), (&reals, 5));
    keeps_its_promises::<Five, FiveTargets>(&(CrossEntropy, MeanSquaredError), &pairs, 11);
    let weighted = Weighted::new((CrossEntropy, MeanAbsoluteError), [0.3, 2.0]);
    keeps_its_promises::<Five, FiveTargets>(&weighted, &pairs, 12);
    keeps_its_promises::<Sequence<Five>, Sequence<FiveTargets>>(&weighted, &pairs, 13);
}

type Five = (Logits<5>, Real<5>);
type FiveTargets = (Class<5>, Real<5>);

#[test]
fn gradients_are_the_slopes_of_the_values() {
    fn slope<O: Sample, G: Sample>(loss: &impl Loss<O, G>, targets: &[G::Element<f64>], seed: u64) {
        let mut output = numbers(seed, 6 * O::ROW);
        let weights: Vec<f64> = numbers(seed + 1, 6).iter().map(|x| x.abs()).collect();
        let (_, gradient) = evaluated(loss, &output, targets, &weights);
        for i in 0..output.len() {
            let here = output[i];
            let mut at = |x| {
                output[i] = x;
                loss.evaluate(&output, targets, &weights, None)
            };
            let difference = (at(here + 1e-6) - at(here - 1e-6)) / 2e-6;
            output[i] = here;
            assert!(
                (gradient[i] - difference).abs() < 1e-7,
                "{i}: {} {difference}",
                gradient[i]
            );
        }
    }
    let (reals, classes) = (numbers(20, 18), [0, 2, 1, 1, 0, 2]);
    let shares: Vec<f64> = reals.iter().map(|x| x.abs()).collect();
    slope::<Logits<3>, Class<3>>(&CrossEntropy.label_smoothing(0.2), &classes, 21);
    slope::<Logits<3>, Probabilities<3>>(&CrossEntropy.label_smoothing(0.2), &shares, 22);
    slope::<Logits<3>, Probabilities<3>>(&BinaryCrossEntropy.label_smoothing(0.2), &shares, 23);
    slope::<Real<3>, Real<3>>(&MeanSquaredError, &reals, 24);
    slope::<Real<3>, Real<3>>(&MeanAbsoluteError, &reals, 25);
    slope::<Real<3>, Real<3>>(&Huber { delta: 0.4 }, &reals, 26);
    let (whole, halves) = (classes.map(f64::from), numbers(27, 12));
    let three = beside((&beside((&shares, 3), (&whole, 1)), 4), (&halves, 2));
    slope::<(Logits<3>, Logits<3>, Real<2>), (Probabilities<3>, Class<3>, Real<2>)>(
        &(BinaryCrossEntropy, CrossEntropy, MeanSquaredError),
        &three,
        28,
    );
    let four = beside((&three, 6), (&reals, 3));
    slope::<
        (Logits<3>, Logits<3>, Vector<2>, Image<1, 1, 3>),
        (Probabilities<3>, Class<3>, Vector<2>, Image<1, 1, 3>),
    >(
        &Weighted::new(
            (
                BinaryCrossEntropy,
                CrossEntropy,
                Huber::default(),
                MeanAbsoluteError,
            ),
            [0.5, 2.0, 0.0, 1.5],
        ),
        &four,
        29,
    );
}

/// Rows of so many numbers, and those of others behind each.
fn beside((first, a): (&[f64], usize), (second, b): (&[f64], usize)) -> Vec<f64> {
    let rows = first.chunks_exact(a).zip(second.chunks_exact(b));
    rows.flat_map(|(first, second)| [first, second].concat())
        .collect()
}

type Pair = (Logits<3>, Real<2>);
type PairTargets = (Class<3>, Real<2>);

#[test]
fn losses_side_by_side_add_up() {
    let (logits, reals, truths) = (numbers(40, 12), numbers(41, 8), numbers(42, 8));
    let (classes, weights) = ([2, 0, 1, 1], [0.5, 0.0, 2.0, 1.0]);
    let one = evaluated::<Logits<3>, Class<3>>(&CrossEntropy, &logits, &classes, &weights);
    let other = evaluated::<Real<2>, Real<2>>(&MeanSquaredError, &reals, &truths, &weights);
    let output = beside((&logits, 3), (&reals, 2));
    let targets = beside((&classes.map(f64::from), 1), (&truths, 2));
    let check = |(value, gradient): (f64, Vec<f64>), [a, b]: [f64; 2]| {
        let expected = a * one.0 + b * other.0;
        assert_close_named("value", &[value], &[expected], TOLERANCE, TOLERANCE);
        let scaled = |by: f64, all: &[f64]| all.iter().map(|x| by * x).collect::<Vec<_>>();
        let expected = beside((&scaled(a, &one.1), 3), (&scaled(b, &other.1), 2));
        assert_close_named("gradient", &gradient, &expected, TOLERANCE, TOLERANCE);
    };
    let both = (CrossEntropy, MeanSquaredError);
    check(
        evaluated::<Pair, PairTargets>(&both, &output, &targets, &weights),
        [1.0, 1.0],
    );
    check(
        evaluated::<Sequence<Pair>, Sequence<PairTargets>>(&both, &output, &targets, &weights),
        [1.0, 1.0],
    );
    for shares in [[1.0, 0.1], [0.0, 3.0]] {
        let loss = Weighted::new(both, shares);
        check(
            evaluated::<Pair, PairTargets>(&loss, &output, &targets, &weights),
            shares,
        );
        check(
            evaluated::<Sequence<Pair>, Sequence<PairTargets>>(&loss, &output, &targets, &weights),
            shares,
        );
    }
}

/// The loss of two rows of zeros, the first of weight 0, whose classes are these numbers.
fn of_classes(classes: [f64; 2]) -> f64 {
    let targets = [classes[0], 0.0, 0.0, classes[1], 0.0, 0.0];
    let loss = (CrossEntropy, MeanSquaredError);
    evaluated::<Pair, PairTargets>(&loss, &[0.0; 10], &targets, &[0.0, 1.0]).0
}

#[test]
fn rows_without_weight_may_have_any_number_for_a_class() {
    for any in [f64::NAN, -1.0, 0.5, 3.0, 1e30] {
        assert!((of_classes([any, 2.0]) - 3.0_f64.ln()).abs() < TOLERANCE);
    }
}

#[test]
#[should_panic(expected = "class 3 of 3")]
fn a_number_that_is_no_class_is_refused() {
    let _ = of_classes([0.0, 3.0]);
}

#[test]
fn numbers_between_classes_are_refused() {
    for none in [0.5, -1.0, f64::NAN, f64::INFINITY] {
        let refused = std::panic::catch_unwind(|| of_classes([0.0, none]));
        assert!(refused.is_err(), "{none}");
    }
}

#[test]
#[should_panic(expected = "5 targets are not 2 rows of 3")]
fn missing_targets_of_several_outputs_are_refused() {
    let loss = (CrossEntropy, MeanSquaredError);
    let _ = evaluated::<Pair, PairTargets>(&loss, &[0.0; 10], &[0.0; 5], &[1.0; 2]);
}

#[test]
#[should_panic(expected = "a finite number not below zero")]
fn a_loss_of_negative_weight_is_refused() {
    let _ = Weighted::new((CrossEntropy, MeanSquaredError), [1.0, -0.1]);
}

#[test]
fn ties_have_no_slope() {
    let (value, gradient) =
        evaluated::<Real<2>, Real<2>>(&MeanAbsoluteError, &[1.0, -1.0], &[1.0, -1.0], &[1.0]);
    assert_eq!((value, gradient.as_slice()), (0.0, [0.0; 2].as_slice()));
}

#[test]
#[should_panic(expected = "class 3 of 3")]
fn a_class_that_is_none_is_refused() {
    let _ = evaluated::<Logits<3>, Class<3>>(&CrossEntropy, &[0.0; 3], &[3], &[1.0]);
}

#[test]
#[should_panic(expected = "targets of 1 rows for 2 rows")]
fn missing_targets_are_refused() {
    let _ = evaluated::<Logits<3>, Class<3>>(&CrossEntropy, &[0.0; 6], &[1], &[1.0; 2]);
}
