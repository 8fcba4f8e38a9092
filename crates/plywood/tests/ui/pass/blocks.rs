//! Blocks: lists within lists, named and not, repeated and side by side.

use plywood::prelude::*;

const WIDE: usize = 16;

plywood::model! {
    /// Layers in blocks have names and methods like others; a repeated one has its turn behind the name.
    pub Net: Image<12, 12, 3> => Logits<10> {
        stem: Conv2d(WIDE, padding: same), BatchNorm, Relu,
        Repeat(2) {
            /// One of two.
            body: Residual {
                Conv2d(WIDE, padding: same), BatchNorm, Relu,
                last: Conv2d(16, padding: same),
            },
        },
        Concat {
            { Conv2d(4, kernel: 1), Relu },
            {},
            { AvgPool2d(3, stride: 1, padding: same), Repeat(1) { Repeat(2) { deep: Conv2d(8, kernel: 1) } } },
        },
        MaxPool2d(2),
        down: Residual(project: true) { Conv2d(8, stride: 2, padding: same), Relu },
        Flatten,
        Residual(project: true) { Dense(10) },
    }
}

plywood::model! {
    pub Wide<const N: usize>: Vector<N> => Vector<N> { Residual { Dense(32), Relu, Dense(N) } }
}

const _: () = Wide::<7>::CHECKED;

pub(crate) fn main() {
    let network = Net::new(Seed(1));
    assert_eq!(network.stem().weight().len(), 3 * 3 * 3 * 16);
    assert_eq!(network.last_1().weight().len(), 3 * 3 * 16 * 16);
    assert_eq!(network.deep_0_1().weight().len(), 8 * 8);
    assert_eq!(network.body_0().parameters().len(), 0);
    assert_eq!(network.down_projection().weight().len(), 28 * 8);
    let summary = Net::summary().to_string();
    assert!(summary.contains("Residual") && summary.contains("Image<12, 12, 28>"), "{summary}");
    let image = Batch::<Image<12, 12, 3>>::new(1);
    assert_eq!(Session::new(&network).outputs(&image).data().len(), 10);
    let (wide, vectors) = (Wide::<7>::new(Seed(1)), Batch::new(2));
    assert_eq!(Session::new(&wide).outputs(&vectors).data().len(), 14);
}
