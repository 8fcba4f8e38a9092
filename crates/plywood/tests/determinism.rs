//! Same seed, same bits: for any number of threads, alone and in any batch, with and without padding.

mod common;

use common::{
    FashionCnn, LanguageTagger, NormedCnn, PartedCnn, ResidualCnn, batch, images, on_threads, texts,
};
use plywood::prelude::*;

const PRECISIONS: [Precision; 2] = [Precision::Full, Precision::Bf16];

/// The bits of all parameters and state after two epochs over 330 samples.
fn trained<N, D>(threads: usize, precision: Precision, data: &D) -> Vec<u32>
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input> + Sync,
    CrossEntropy: plywood::nn::loss::Loss<N::Output, D::Target>,
{
    let mut network = N::seeded(Seed(11));
    let fit = Fit::new(Adam::default(), CrossEntropy).on(&mut network, data);
    let history = fit
        .epochs(2)
        .batch_size(50)
        .seed(Seed(3))
        .threads(threads)
        .precision(precision)
        .quiet()
        .run();
    history.expect("the training runs");
    let numbers = network.parameters().iter().chain(network.state());
    numbers.map(|number| number.to_bits()).collect()
}

fn assert_same_for_all_threads<N, D>(precision: Precision, data: &D)
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input> + Sync,
    CrossEntropy: plywood::nn::loss::Loss<N::Output, D::Target>,
{
    let one = trained::<N, D>(1, precision, data);
    let fresh: Vec<u32> = N::seeded(Seed(11))
        .parameters()
        .iter()
        .map(|p| p.to_bits())
        .collect();
    assert_ne!(one[..fresh.len()], fresh, "training changes the parameters");
    for threads in [2, 3, 8] {
        assert!(
            one == trained::<N, D>(threads, precision, data),
            "{} differs on {threads} threads, {precision:?}",
            N::NAME
        );
    }
}

#[test]
fn training_the_convolutional_network_is_the_same_on_any_number_of_threads() {
    for precision in PRECISIONS {
        assert_same_for_all_threads::<FashionCnn, _>(precision, &images(330));
    }
}

#[test]
fn training_the_recurrent_network_is_the_same_on_any_number_of_threads() {
    for precision in PRECISIONS {
        assert_same_for_all_threads::<LanguageTagger, _>(precision, &texts(330));
    }
}

#[test]
fn training_over_segments_is_the_same_on_any_number_of_threads() {
    for precision in PRECISIONS {
        assert_same_for_all_threads::<NormedCnn, _>(precision, &images(330));
    }
}

#[test]
fn training_through_blocks_is_the_same_on_any_number_of_threads() {
    for precision in PRECISIONS {
        assert_same_for_all_threads::<ResidualCnn, _>(precision, &images(330));
    }
}

#[test]
fn training_of_parts_is_the_same_on_any_number_of_threads() {
    for precision in PRECISIONS {
        assert_same_for_all_threads::<PartedCnn, _>(precision, &images(330));
    }
}

/// The bits of the outputs of `inputs`, sample after sample.
fn outputs<N: Network<Scalar = f32>>(
    network: &N,
    precision: Precision,
    inputs: &Batch<N::Input>,
) -> Vec<u32> {
    let outputs = on_threads(2, || {
        Session::with_precision(network, precision).outputs(inputs)
    });
    outputs
        .data()
        .iter()
        .map(|output| output.to_bits())
        .collect()
}

fn assert_same_in_any_batch<N, D>(data: &D)
where
    N: Network<Scalar = f32>,
    D: Source<Input = N::Input>,
{
    let network = N::seeded(Seed(5));
    for precision in PRECISIONS {
        let alone = outputs(&network, precision, &batch(data, 1).inputs);
        assert!(
            alone.iter().any(|&bits| bits != 0),
            "the output is not all zero"
        );
        for samples in [2, 7, 64] {
            let together = outputs(&network, precision, &batch(data, samples).inputs);
            assert!(
                alone == together[..alone.len()],
                "{} differs in a batch of {samples}, {precision:?}",
                N::NAME
            );
        }
    }
}

#[test]
fn inference_is_the_same_alone_and_in_any_batch() {
    assert_same_in_any_batch::<FashionCnn, _>(&images(64));
    assert_same_in_any_batch::<NormedCnn, _>(&images(64));
    assert_same_in_any_batch::<ResidualCnn, _>(&images(64));
    assert_same_in_any_batch::<PartedCnn, _>(&images(64));
    assert_same_in_any_batch::<LanguageTagger, _>(&texts(64));
}

#[test]
fn padding_changes_no_valid_step() {
    let network = LanguageTagger::new(Seed(5));
    let short: Vec<u32> = (0..3 * 10).map(|i| i * 37 % 10_000).collect();
    let plain = Batch::from_vec(3, 10, short.clone()).expect("tokens are in range");
    let mut padded = Batch::sequences(3, 14);
    for n in 0..3 {
        padded.sample_mut(n)[..10].copy_from_slice(&short[n * 10..][..10]);
    }
    padded.set_lengths(&[10, 10, 10]).expect("lengths fit");
    for precision in PRECISIONS {
        let [plain, padded] = [&plain, &padded].map(|texts| outputs(&network, precision, texts));
        for n in 0..3 {
            assert!(
                plain[n * 100..][..100] == padded[n * 140..][..100],
                "sample {n}, {precision:?}"
            );
        }
    }
}
