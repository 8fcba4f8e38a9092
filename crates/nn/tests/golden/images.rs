//! Convolutions and pooling.

use plywood_nn::layers::{
    AvgPool2d, Conv2d, ConvTranspose2d, DepthwiseConv2d, GlobalAvgPool2d, MaxPool2d,
};
use plywood_shape::{Padding, Shape};
use plywood_testing::Case;

use crate::each;
use crate::harness::check;

fn image(case: &Case) -> Shape {
    let &[_, height, width, channels] = case.shape("x") else {
        panic!("{}: no images", case.name)
    };
    Shape::image(height, width, channels)
}

fn padding(case: &Case) -> Padding {
    let side = |i: usize| case.config["around"][i].as_u64().expect("four sides") as usize;
    match case.text("padding") {
        "valid" => Padding::Valid,
        "same" => Padding::Same,
        _ => Padding::Explicit {
            top: side(0),
            bottom: side(1),
            left: side(2),
            right: side(3),
        },
    }
}

#[test]
fn conv2d() {
    each("conv2d", |case| {
        let layer = Conv2d::new(case.size("filters"))
            .kernel(case.pair("kernel"))
            .stride(case.pair("stride"))
            .dilation(case.pair("dilation"))
            .groups(case.size("groups"))
            .padding(padding(case));
        check(case, &layer, &layer.plan(image(case)));
    });
}

#[test]
fn depthwise_conv2d() {
    each("depthwise_conv2d", |case| {
        let layer = DepthwiseConv2d::new(case.size("multiplier"))
            .kernel(case.pair("kernel"))
            .stride(case.pair("stride"))
            .dilation(case.pair("dilation"))
            .padding(padding(case));
        check(case, &layer, &layer.plan(image(case)));
    });
}

#[test]
fn conv_transpose2d() {
    each("conv_transpose2d", |case| {
        let layer = ConvTranspose2d::new(case.size("filters"))
            .kernel(case.pair("kernel"))
            .stride(case.pair("stride"))
            .dilation(case.pair("dilation"))
            .padding(padding(case));
        check(case, &layer, &layer.plan(image(case)));
    });
}

#[test]
fn max_pool2d() {
    each("max_pool2d", |case| {
        let layer = MaxPool2d::new(case.pair("window"))
            .stride(case.pair("stride"))
            .padding(padding(case));
        check(case, &layer, &layer.plan(image(case)));
    });
}

#[test]
fn avg_pool2d() {
    each("avg_pool2d", |case| {
        let layer = AvgPool2d::new(case.pair("window"))
            .stride(case.pair("stride"))
            .padding(padding(case));
        check(case, &layer, &layer.plan(image(case)));
    });
}

#[test]
fn global_avg_pool2d() {
    each("global_avg_pool2d", |case| {
        let layer = GlobalAvgPool2d::new();
        check(case, &layer, &layer.plan(image(case)));
    });
}
