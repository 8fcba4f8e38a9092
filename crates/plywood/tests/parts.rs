//! A block that is alone is shared by all threads, layer by layer, and gives the same bits.

use plywood::nn::{Layer, Network as _, Parts};
use plywood::prelude::*;
use plywood::shape::Sample as _;
use plywood::shape::layers::{Conv2d, Dense};

plywood::model! {
    /// Every product of it is worth two threads or more, also of a single sample.
    Large: Image<31, 29, 16> => Logits<5> {
        Conv2d(64, kernel: 3), Relu,
        MaxPool2d(2),
        Conv2d(96, kernel: 5, padding: same), Relu,
        Conv2d(80, kernel: 3), Activation(Cubed),
        MaxPool2d(2),
        Flatten,
        Dense(3000), Activation(Cubed),
        Dense(5),
    }
}

/// `y = x³`
#[derive(Clone, Copy, Debug)]
struct Cubed;

impl plywood::Function for Cubed {
    fn value<T: plywood::Float>(self, x: T) -> T {
        x * x * x
    }

    fn slope<T: plywood::Float>(self, x: T) -> T {
        T::from_f64(3.0) * x * x
    }
}

fn images(samples: usize) -> Batch<Image<31, 29, 16>> {
    let mut images = Batch::default();
    images.resize(samples, 1);
    for (index, pixel) in images.data_mut().iter_mut().enumerate() {
        *pixel = ((index * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    }
    images
}

/// The bits of the first sample's outputs, alone on so many threads.
fn bits(network: &Large, images: &Batch<Image<31, 29, 16>>, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let outputs = pool.unwrap().install(|| {
        let mut session = Session::new(network);
        // The second time everything lies in memory that was used before.
        let _ = session.outputs(images);
        session.outputs(images)
    });
    outputs.data()[..5]
        .iter()
        .map(|number| number.to_bits())
        .collect()
}

#[test]
fn a_block_that_is_alone_has_the_same_bits_on_any_number_of_threads() {
    let network = Large::new(Seed(4));
    let in_a_batch = bits(&network, &images(40), 1);
    for samples in [1, 3] {
        for threads in [1, 2, 3, 8] {
            let alone = bits(&network, &images(samples), threads);
            assert_eq!(alone, in_a_batch, "{samples} samples on {threads} threads");
        }
    }
}

#[test]
fn a_session_goes_from_many_blocks_to_one_and_back() {
    let network = Large::new(Seed(4));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    pool.unwrap().install(|| {
        let mut session = Session::new(&network);
        let expected = session.outputs(&images(40)).data()[..5].to_vec();
        for samples in [1, 40, 1] {
            assert_eq!(session.outputs(&images(samples)).data()[..5], expected);
        }
    });
}

#[test]
fn only_what_is_worth_a_hand_over_is_cut() {
    let parts = |step: usize, samples: usize| {
        let rows = plywood::shape::Rows { samples, steps: 1 };
        struct Of(usize, plywood::shape::Rows, Option<Parts>);
        impl plywood::nn::network::Visitor<f32> for Of {
            fn visit<L: Layer<f32, X>, X>(&mut self, index: usize, layer: &L) {
                if index == self.0 {
                    self.2 = layer.parts(&Large::<f32>::STEPS[index].plan, self.1);
                }
            }
        }
        let mut of = Of(step, rows, None);
        Large::<f32>::visit(0, &mut of);
        of.2
    };
    let first = parts(0, 1).expect("the first convolution is large");
    assert_eq!((first.units, first.numbers), (14, 13 * 64));
    assert!(parts(0, 2).is_none(), "two images are two blocks' work");
    assert!(
        parts(2, 1).is_some(),
        "a function behind it changes nothing"
    );
    let columns = parts(4, 1).expect("the first dense layer is large");
    assert_eq!((columns.units, columns.numbers), (3000, 1));
    assert!(parts(5, 1).is_none(), "the last layer is small");
    let small = Dense::new(64);
    let plan = small.plan(<Vector<576>>::SHAPE);
    let one = plywood::shape::Rows {
        samples: 1,
        steps: 1,
    };
    assert!(Layer::<f32>::parts(&small, &plan, one).is_none());
    let small = Conv2d::new(8);
    let plan = small.plan(<Image<8, 8, 3>>::SHAPE);
    assert!(Layer::<f32>::parts(&small, &plan, one).is_none());
}
