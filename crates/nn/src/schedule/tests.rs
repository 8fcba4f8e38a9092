//! Schedules against values worked out by hand from their formulas.

use super::{Constant, Cosine, OnPlateau, OneCycle, Progress, Schedule, Step, WarmUp};

/// The factors at `steps` of a training of 10 epochs with 10 steps each.
fn factors(schedule: &impl Schedule, steps: &[u64]) -> Vec<f64> {
    let at = |&step: &u64| Progress {
        step,
        steps_per_epoch: 10,
        epochs: 10,
    };
    steps.iter().map(at).map(|at| schedule.factor(at)).collect()
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() < 1e-12,
            "{i}: {found}, not {expected}"
        );
    }
}

#[test]
fn constant_is_one() {
    assert_eq!(factors(&Constant, &[0, 57, 99, 1000]), [1.0; 4]);
}

#[test]
fn step_changes_at_epochs() {
    let schedule = Step::new(3, 0.5);
    let found = factors(&schedule, &[0, 29, 30, 59, 60, 90]);
    assert_near(&found, &[1.0, 1.0, 0.5, 0.5, 0.25, 0.125]);
}

#[test]
fn cosine_falls_to_its_floor_and_stays() {
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let found = factors(&Cosine::default(), &[0, 25, 50, 75, 100, 150]);
    assert_near(
        &found,
        &[1.0, (1.0 + half) / 2.0, 0.5, (1.0 - half) / 2.0, 0.0, 0.0],
    );
    let found = factors(&Cosine::to(0.2), &[0, 50, 100]);
    assert_near(&found, &[1.0, 0.6, 0.2]);
}

#[test]
fn warm_up_rises_in_a_line_and_lets_the_other_go_on() {
    let found = factors(&WarmUp::new(4, Constant), &[0, 1, 2, 3, 4, 5]);
    assert_near(&found, &[0.2, 0.4, 0.6, 0.8, 1.0, 1.0]);
    let found = factors(&WarmUp::new(4, Cosine::default()), &[50, 100]);
    assert_near(&found, &[0.5, 0.0]);
    let mut wrapping = WarmUp::new(0, OnPlateau::new(0.5, 0));
    wrapping.hear(1.0);
    wrapping.hear(2.0);
    assert_near(&factors(&wrapping, &[20]), &[0.5]);
}

#[test]
fn one_cycle_goes_up_and_down() {
    // The peak is at step 0.3·100 − 1 = 29, the end at 99; half way up is 14.5, half way down 64.
    let found = factors(&OneCycle::default(), &[0, 29, 64, 99, 130]);
    let end = 0.04 / 1e4;
    assert_near(&found, &[0.04, 1.0, (1.0 + end) / 2.0, end, end]);
    let found = factors(
        &OneCycle {
            rise: 0.21,
            ..OneCycle::default()
        },
        &[0, 10, 20],
    );
    assert_near(&found, &[0.04, 0.52, 1.0]);
}

#[test]
fn a_plateau_brings_the_rate_down() {
    let mut schedule = OnPlateau::new(0.5, 1).threshold(0.1).cooldown(1).floor(0.2);
    // 9.5 is no new best, being within a tenth of 10; 8 is one.
    let losses = [
        10.0,
        9.5,
        8.0,
        8.0,
        8.0,
        8.0,
        8.0,
        8.0,
        8.0,
        8.0,
        8.0,
        f64::NAN,
        8.0,
        1.0,
    ];
    let mut found = Vec::new();
    for loss in losses {
        schedule.hear(loss);
        found.extend(factors(&schedule, &[0]));
    }
    let (half, quarter, floor) = (0.5, 0.25, 0.2);
    let expected = [
        1.0, 1.0, 1.0, 1.0, // best, bad, best, bad
        half, half, half, // second bad, cooling, bad
        quarter, quarter, quarter, floor, floor, floor, floor,
    ];
    assert_near(&found, &expected);
}

#[test]
fn a_closure_is_a_schedule() {
    let schedule = |at: Progress| 1.0 / (1.0 + at.epoch() as f64);
    assert_near(&factors(&schedule, &[9, 10, 39]), &[1.0, 0.5, 0.25]);
}
