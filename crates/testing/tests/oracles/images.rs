//! Convolutions and pooling.

use plywood_testing::Case;
use plywood_testing::oracle::Window;
use plywood_testing::oracle::conv_transpose2d::ConvTranspose2d;
use plywood_testing::oracle::conv2d::Conv2d;
use plywood_testing::oracle::pool2d::{self, Pool2d};

use crate::{each, matches};

/// The case's window over an image of this size.
fn window(case: &Case, image: [usize; 2], kernel: &str) -> Window {
    let around = |i: usize| case.config["around"][i].as_u64().expect("four sides") as usize;
    Window {
        image,
        kernel: case.pair(kernel),
        stride: case.pair("stride"),
        dilation: if kernel == "kernel" {
            case.pair("dilation")
        } else {
            [1, 1]
        },
        padding: [[around(0), around(1)], [around(2), around(3)]],
    }
}

fn convolution(case: &Case) -> Conv2d {
    let (x, y, weight) = (case.shape("x"), case.shape("y"), case.shape("weight"));
    Conv2d {
        samples: x[0],
        window: window(case, [x[1], x[2]], "kernel"),
        channels: x[3],
        filters: y[3],
        groups: x[3] / weight[2],
    }
}

#[test]
fn conv2d() {
    for layer in ["conv2d", "depthwise_conv2d"] {
        each(layer, |case| {
            let conv = convolution(case);
            let (x, weight, dy) = (case.values("x"), case.values("weight"), case.values("dy"));
            matches(case, "y", &conv.forward(x, weight, case.values("bias")));
            matches(case, "dx", &conv.input_gradient(weight, dy));
            matches(case, "dweight", &conv.weight_gradient(x, dy));
            matches(case, "dbias", &conv.bias_gradient(dy));
        });
    }
}

#[test]
fn conv_transpose2d() {
    each("conv_transpose2d", |case| {
        let (small, large) = (case.shape("x"), case.shape("y"));
        let conv = ConvTranspose2d {
            samples: small[0],
            window: window(case, [large[1], large[2]], "kernel"),
            channels: small[3],
            filters: large[3],
        };
        assert_eq!(conv.window.output(), [small[1], small[2]], "{}", case.name);
        let (x, weight, dy) = (case.values("x"), case.values("weight"), case.values("dy"));
        matches(case, "y", &conv.forward(x, weight, case.values("bias")));
        matches(case, "dx", &conv.input_gradient(weight, dy));
        matches(case, "dweight", &conv.weight_gradient(x, dy));
        matches(case, "dbias", &conv.bias_gradient(dy));
    });
}

fn pool(case: &Case) -> Pool2d {
    let x = case.shape("x");
    Pool2d {
        samples: x[0],
        window: window(case, [x[1], x[2]], "window"),
        channels: x[3],
    }
}

#[test]
fn max_pool2d() {
    each("max_pool2d", |case| {
        let pool = pool(case);
        let (y, winners) = pool.max(case.values("x"));
        matches(case, "y", &y);
        matches(case, "dx", &pool.max_backward(&winners, case.values("dy")));
    });
}

#[test]
fn avg_pool2d() {
    each("avg_pool2d", |case| {
        let pool = pool(case);
        matches(case, "y", &pool.average(case.values("x")));
        matches(case, "dx", &pool.average_backward(case.values("dy")));
    });
}

#[test]
fn global_avg_pool2d() {
    each("global_avg_pool2d", |case| {
        let x = case.shape("x");
        let (places, channels) = (x[1] * x[2], x[3]);
        matches(
            case,
            "y",
            &pool2d::global_average(case.values("x"), places, channels),
        );
        let dx = pool2d::global_average_backward(case.values("dy"), places, channels);
        matches(case, "dx", &dx);
    });
}
