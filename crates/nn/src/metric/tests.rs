//! Metrics against counts made by hand.

use super::{
    Accuracy, BinaryAccuracy, ConfusionMatrix, LastStepAccuracy, Metric, Observed, Of,
    PrecisionRecallF1, RunningLoss, TopK,
};
use crate::loss::{Loss, MeanAbsoluteError};
use plywood_kernels::Float;
use plywood_shape::{Class, Logits, Probabilities, Real, Rows, Sample, Sequence};

/// Four rows of three scores. The highest are at 2, 0 (the first of two), 1 and 0.
const SCORES: [f64; 12] = [0.1, 0.2, 0.7, 3.0, 3.0, -1.0, -2.0, 4.0, 1.0, 5.0, 2.0, 0.0];
const CLASSES: [u32; 4] = [2, 1, 0, 0];

fn rows(samples: usize, steps: usize) -> Rows {
    Rows { samples, steps }
}

fn seen<'a, E>(output: &'a [f64], targets: &'a [E], weights: &'a [f64]) -> Observed<'a, f64, E> {
    Observed {
        output,
        targets,
        weights,
        rows: rows(weights.len(), 1),
        lengths: &[],
    }
}

/// The counters of `metric` after the rows given.
fn counted<O: Sample, G: Sample, M: Metric<O, G>>(
    metric: &M,
    blocks: &[Observed<'_, f64, G::Element<f64>>],
) -> Vec<f64> {
    let mut counters = vec![0.0; metric.counters()];
    for block in blocks {
        metric.observe(block, &mut counters);
    }
    counters
}

/// What `metric` reports of logits and classes.
fn reported<M: Metric<Logits<3>, Class<3>>>(metric: &M, weights: &[f64]) -> Vec<(String, f64)> {
    metric.report(&counted(metric, &[seen(&SCORES, &CLASSES, weights)]))
}

#[test]
fn accuracy_counts_rows_that_have_weight() {
    assert_eq!(
        reported(&Accuracy, &[0.25; 4]),
        [("accuracy".to_string(), 0.5)]
    );
    assert_eq!(reported(&Accuracy, &[1.0, 0.0, 1e-9, 3.0])[0].1, 2.0 / 3.0);
    assert!(reported(&Accuracy, &[0.0; 4])[0].1.is_nan());
}

#[test]
fn accuracy_of_dense_targets_asks_for_the_likeliest_class() {
    let targets = [0.1, 0.1, 0.8, 0.2, 0.7, 0.1, 0.5, 0.5, 0.0, 0.4, 0.3, 0.3];
    let block = seen(&SCORES, &targets, &[1.0; 4]);
    let counters = counted::<Logits<3>, Probabilities<3>, _>(&Accuracy, &[block]);
    assert_eq!(counters, [2.0, 4.0]);
    let counters = counted::<Probabilities<3>, Probabilities<3>, _>(&Accuracy, &[block]);
    assert_eq!(counters, [2.0, 4.0]);
}

#[test]
fn top_k_ranks_equal_scores_by_their_place() {
    // The right classes rank first, second (equal to the first), third and first.
    assert_eq!(
        reported(&TopK::<1>, &[1.0; 4]),
        [("top-1 accuracy".to_string(), 0.5)]
    );
    assert_eq!(reported(&TopK::<2>, &[1.0; 4])[0].1, 0.75);
    assert_eq!(reported(&TopK::<3>, &[1.0; 4])[0].1, 1.0);
}

#[test]
fn last_step_accuracy_looks_at_the_last_valid_step_alone() {
    // Two samples of three steps, row t·2 + n; class 0 wins where the first score is 1.
    let wins = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0];
    let scores: Vec<f64> = wins.iter().flat_map(|&win| [win, 0.5]).collect();
    let block = |lengths, weights| Observed {
        output: &scores,
        targets: &[0_u32; 6],
        weights,
        rows: rows(2, 3),
        lengths,
    };
    let count = |lengths, weights| {
        counted::<Sequence<Logits<2>>, Sequence<Class<2>>, _>(
            &LastStepAccuracy,
            &[block(lengths, weights)],
        )
    };
    assert_eq!(count(&[], &[1.0; 6]), [0.0, 2.0]);
    assert_eq!(count(&[2, 3], &[1.0; 6]), [1.0, 2.0]);
    assert_eq!(count(&[2, 1], &[1.0; 6]), [2.0, 2.0]);
    assert_eq!(count(&[0, 1], &[1.0; 6]), [1.0, 1.0]);
    assert_eq!(count(&[2, 1], &[1.0, 0.0, 1.0, 1.0, 1.0, 1.0]), [1.0, 1.0]);
}

#[test]
fn binary_accuracy_knows_where_the_half_lies() {
    let (output, targets) = ([0.2, -0.3, 0.7, 0.0], [1.0, 0.0, 1.0, 1.0]);
    let block = seen(&output, &targets, &[1.0; 2]);
    let logits = counted::<Logits<2>, Probabilities<2>, _>(&BinaryAccuracy, &[block]);
    assert_eq!(logits, [3.0, 4.0]);
    let probabilities = counted::<Probabilities<2>, Probabilities<2>, _>(&BinaryAccuracy, &[block]);
    assert_eq!(probabilities, [2.0, 4.0]);
}

#[test]
fn the_confusion_matrix_is_a_table_of_counts() {
    let block = seen(&SCORES, &CLASSES, &[1.0; 4]);
    let metric = ConfusionMatrix;
    let counters = counted::<Logits<3>, Class<3>, _>(&metric, &[block, block]);
    let confusion = Metric::<Logits<3>, Class<3>>::summary(&metric, &counters);
    assert_eq!(confusion.row(0), [2, 2, 0]);
    assert_eq!(confusion.row(1), [2, 0, 0]);
    assert_eq!(confusion.count(2, 2), 2);
    assert_eq!(confusion.accuracy(), 0.5);
    let table = confusion.with_names(&["cat", "tiger", "dog"]).to_string();
    let expected = "right \\ found    cat  tiger    dog\n\
                    cat                2      2      0\n\
                    tiger              2      0      0\n\
                    dog                0      0      2";
    assert_eq!(table, expected);
}

#[test]
fn precision_recall_and_f1_follow_their_formulas() {
    let block = seen(&SCORES, &CLASSES, &[1.0; 4]);
    let metric = PrecisionRecallF1;
    let counters = counted::<Logits<3>, Class<3>, _>(&metric, &[block]);
    let scores = Metric::<Logits<3>, Class<3>>::summary(&metric, &counters);
    // Found 2, 0, 1, 0 for 2, 1, 0, 0.
    let of = |class: usize| {
        let score = scores.classes[class];
        (
            score.precision,
            score.recall,
            score.f1,
            score.rows,
            score.found,
        )
    };
    assert_eq!(of(0), (0.5, 0.5, 0.5, 2, 2));
    assert_eq!(of(1), (0.0, 0.0, 0.0, 1, 1));
    assert_eq!(of(2), (1.0, 1.0, 1.0, 1, 1));
    assert_eq!(scores.mean().f1, 0.5);
    let names: Vec<_> = reported(&metric, &[1.0; 4])
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["precision", "recall", "f1"]);
    let only_the_first = reported(&metric, &[1.0, 0.0, 0.0, 0.0]);
    assert!(
        only_the_first.iter().all(|(_, value)| *value == 1.0),
        "{only_the_first:?}"
    );
    assert!(
        scores
            .to_string()
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("0.5000"))
    );
}

/// The sum of all outputs.
struct Total;
impl Loss<Real<1>, Real<1>> for Total {
    fn evaluate<T: Float>(&self, output: &[T], _: &[T], weights: &[T], _: Option<&mut [T]>) -> f64 {
        output
            .iter()
            .zip(weights)
            .map(|(x, weight)| (*x * *weight).to_f64())
            .sum()
    }
}

#[test]
fn the_running_loss_is_a_weighted_mean() {
    let metric = RunningLoss::new("total", Total);
    let blocks = [
        seen(&[1.0, 2.0], &[0.0; 2], &[1.0, 3.0]),
        seen(&[9.0], &[0.0], &[2.0]),
    ];
    let counters = counted::<Real<1>, Real<1>, _>(&metric, &blocks);
    let report = Metric::<Real<1>, Real<1>>::report(&metric, &counters);
    assert_eq!(report, [("total".to_string(), 25.0 / 6.0)]);
}

#[test]
fn a_tuple_is_its_metrics_side_by_side() {
    let metric = (Accuracy, ConfusionMatrix, TopK::<2>);
    let all = reported(&metric, &[1.0; 4]);
    assert_eq!(
        all,
        [
            ("accuracy".to_string(), 0.5),
            ("top-2 accuracy".to_string(), 0.75)
        ]
    );
    let counters =
        counted::<Logits<3>, Class<3>, _>(&metric, &[seen(&SCORES, &CLASSES, &[1.0; 4])]);
    assert_eq!(counters.len(), 2 + 9 + 2);
    let (accuracy, confusion, top) = Metric::<Logits<3>, Class<3>>::summary(&metric, &counters);
    assert_eq!((accuracy, confusion.count(0, 0), top), (0.5, 1, 0.75));
    assert!(reported(&(), &[1.0; 4]).is_empty());
}

/// The scores and classes of before, and behind each a number that is to be 1.
fn pairs(numbers: [f64; 4]) -> (Vec<f64>, Vec<f64>) {
    let scores = SCORES.chunks_exact(3).zip(numbers);
    let output = scores.flat_map(|(scores, x)| [scores, &[x]].concat());
    let targets = CLASSES.map(|class| [f64::from(class), 1.0]);
    (output.collect(), targets.concat())
}

#[test]
fn each_of_several_outputs_has_metrics_of_its_own() {
    type Scores = (Logits<3>, Real<1>);
    type Truth = (Class<3>, Real<1>);
    let metric = (
        Of::<0, _>(Accuracy),
        Of::<1, _>(RunningLoss::new("distance", MeanAbsoluteError)),
        Of::<0, _>(ConfusionMatrix),
    );
    let (output, mut targets) = pairs([1.0, 1.5, 0.0, 9.0]);
    // The last row does not count, and nobody looks at what it holds.
    targets[6..].fill(f64::NAN);
    let weights = [1.0, 1.0, 2.0, 0.0];
    let blocks = [0..2, 2..4].map(|rows| {
        let (output, targets) = (
            &output[rows.start * 4..rows.end * 4],
            &targets[rows.start * 2..rows.end * 2],
        );
        seen(output, targets, &weights[rows])
    });
    let counters = counted::<Scores, Truth, _>(&metric, &blocks);
    let report = Metric::<Scores, Truth>::report(&metric, &counters);
    let expected = [
        ("accuracy of output 0", 1.0 / 3.0),
        ("distance of output 1", 2.5 / 4.0),
    ];
    assert_eq!(
        report,
        expected.map(|(name, value)| (name.to_string(), value))
    );
    let (accuracy, distance, confusion) = Metric::<Scores, Truth>::summary(&metric, &counters);
    assert_eq!((accuracy, distance), (1.0 / 3.0, 0.625));
    assert_eq!(
        [0, 1, 2].map(|class| confusion.row(class).to_vec()),
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    );
}

#[test]
fn one_output_of_several_is_watched_over_whole_sequences() {
    // Two samples of two steps, row t·2 + n; the first sample ends after its first step.
    let (output, targets) = pairs([0.0; 4]);
    let block = Observed {
        output: &output,
        targets: &targets,
        weights: &[1.0, 1.0, 0.0, 1.0],
        rows: rows(2, 2),
        lengths: &[1, 2],
    };
    let metric = (Of::<0, _>(LastStepAccuracy), Of::<0, _>(Accuracy));
    let counters = counted::<Sequence<(Logits<3>, Real<1>)>, Sequence<(Class<3>, Real<1>)>, _>(
        &metric,
        &[block],
    );
    assert_eq!(counters, [2.0, 2.0, 2.0, 3.0]);
}
