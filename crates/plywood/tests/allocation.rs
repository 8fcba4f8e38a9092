//! A steady-state step allocates nothing, neither in training nor in inference.

mod common;

use common::{
    FashionCnn, LanguageTagger, PartedCnn, ResidualCnn, batch, images, on_threads, texts,
};
use plywood::nn::engine::Objective;
use plywood::nn::loss::Loss;
use plywood::nn::metric::{Metric, RunningLoss};
use plywood::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting what is asked of it.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const STEPS: usize = 1000;

/// Allocations of steps on a pool of two threads, after some that are not counted.
fn counted(mut step: impl FnMut()) -> usize {
    // A thread allocates as it starts and with its first stolen job, which on a busy machine may come after the steps that
    // are not counted.
    let both = std::sync::Barrier::new(2);
    rayon::join(|| both.wait(), || both.wait());
    for _ in 0..20 {
        step();
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..STEPS {
        step();
    }
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn training<N, D>(precision: Precision, data: &D) -> usize
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input>,
    CrossEntropy: Loss<N::Output, D::Target>,
    Accuracy: Metric<N::Output, D::Target>,
{
    training_under::<N, D, _, _>(precision, data, &CrossEntropy, &Accuracy)
}

fn training_under<N, D, L, M>(precision: Precision, data: &D, loss: &L, metric: &M) -> usize
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input>,
    L: Loss<N::Output, D::Target>,
    M: Metric<N::Output, D::Target>,
{
    let examples = batch(data, 8);
    let mut network = N::seeded(Seed(1));
    on_threads(2, || {
        let mut trainer = Trainer::with_precision(&network, Seed(1), precision);
        let adam = Adam::default();
        let mut counters = vec![0.0; metric.counters()];
        let objective = Objective { loss, metric };
        counted(|| {
            trainer.step(
                &mut network,
                &examples,
                objective,
                (&adam, 1e-3),
                &mut counters,
            );
        })
    })
}

fn inference<N, D>(precision: Precision, data: &D) -> usize
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input>,
{
    let inputs = batch(data, 8).inputs;
    let network = N::seeded(Seed(1));
    on_threads(2, || {
        let mut session = Session::with_precision(&network, precision);
        let mut outputs = Batch::default();
        counted(|| session.predict(&inputs, &mut outputs))
    })
}

plywood::model! {
    Two: (Image<4, 4, 1>, Vector<2>) => (Logits<3>, Real<2>) {
        Inputs { { Flatten }, {} }, Dense(8), Tanh, Outputs { { Dense(3) }, { Dense(2) } },
    }
}

/// A network of two inputs and two outputs, each under its own loss and metric.
fn side_by_side(precision: Precision) -> usize {
    let columns = (vec![7_u8; 8 * 16], vec![0.5_f32; 8 * 2]);
    let targets = (vec![1_u8; 8], vec![0.25_f32; 8 * 2]);
    type Sides = Dataset<(Image<4, 4, 1>, Vector<2>), (Class<3>, Real<2>)>;
    let data = Sides::new(columns, targets).expect("columns of as many samples");
    let losses = Weighted::new((CrossEntropy, MeanSquaredError), [1.0, 0.5]);
    let error = RunningLoss::new("error", MeanSquaredError);
    let metric = (Of::<0, _>(Accuracy), Of::<1, _>(error));
    training_under::<Two, _, _, _>(precision, &data, &losses, &metric)
}

fn streaming() -> usize {
    let network = LanguageTagger::new(Seed(1));
    let mut stream = Stream::new(&network, 3);
    counted(|| {
        stream.push(&[1, 2, 3]);
    })
}

/// One test, so that no other test's allocations are counted.
#[test]
fn nothing_is_allocated_in_the_steady_state() {
    let start = ALLOCATIONS.load(Ordering::Relaxed);
    let (images, texts) = (images(8), texts(8));
    assert!(
        ALLOCATIONS.load(Ordering::Relaxed) > start,
        "the allocator counts"
    );
    for precision in [Precision::Full, Precision::Bf16] {
        let counts = [
            training::<FashionCnn, _>(precision, &images),
            training::<LanguageTagger, _>(precision, &texts),
            training::<ResidualCnn, _>(precision, &images),
            training::<PartedCnn, _>(precision, &images),
            inference::<FashionCnn, _>(precision, &images),
            inference::<LanguageTagger, _>(precision, &texts),
            inference::<ResidualCnn, _>(precision, &images),
            inference::<PartedCnn, _>(precision, &images),
        ];
        assert_eq!(
            counts, [0; 8],
            "{precision:?}: training, convolutional, recurrent, in blocks and in parts, then inference"
        );
    }
    assert_eq!(streaming(), 0, "step by step");
    assert_eq!(side_by_side(Precision::Full), 0, "of several outputs");
}
