"""Convolutions: plain, grouped, depthwise, transposed.

Weights are [kernel rows][kernel columns][channels in / groups][channels out]; depthwise ones [rows][columns][1][channels · multiplier],
the kernels of one channel side by side; transposed ones [rows][columns][channels out][channels in], which is the weight of
the convolution from the output to the input whose transpose this is (and Keras' own layout).
"""

import keras
import torch.nn.functional as F

from book import numbers
from frameworks import keras_case, torch_case
from windows import around, to_nchw, to_nhwc, torch_sides

# case: (image, filters, kernel, stride, dilation, groups, padding)
CONV2D = {
    "plain": ((2, 6, 5, 3), 4, (3, 3), (1, 1), (1, 1), 1, "valid"),
    "one_channel": ((2, 7, 7, 1), 3, (3, 3), (1, 1), (1, 1), 1, "valid"),
    "pointwise": ((2, 3, 4, 5), 6, (1, 1), (1, 1), (1, 1), 1, "valid"),
    "kernel_2x4": ((1, 5, 6, 2), 3, (2, 4), (1, 1), (1, 1), 1, "valid"),
    "stride_2x1": ((2, 7, 6, 2), 3, (3, 2), (2, 1), (1, 1), 1, "valid"),
    "dilation_2x3": ((1, 8, 9, 2), 3, (3, 3), (1, 1), (2, 3), 1, "valid"),
    "same": ((2, 5, 4, 3), 2, (3, 3), (1, 1), (1, 1), 1, "same"),
    "same_even_kernel": ((1, 5, 6, 2), 3, (4, 2), (1, 1), (1, 1), 1, "same"),
    "same_stride_2": ((2, 6, 5, 2), 3, (3, 3), (2, 2), (1, 1), 1, "same"),
    "same_dilated": ((1, 7, 6, 2), 2, (3, 3), (1, 1), (2, 2), 1, "same"),
    "explicit": ((1, 5, 5, 2), 3, (3, 3), (2, 1), (1, 1), 1, (1, 0, 2, 1)),
    "groups_2": ((2, 5, 5, 4), 6, (3, 3), (1, 1), (1, 1), 2, "valid"),
    "groups_3_same_stride_2": ((1, 6, 6, 6), 3, (3, 3), (2, 2), (1, 1), 3, "same"),
    "everything": ((2, 9, 8, 4), 4, (3, 2), (2, 2), (2, 2), 2, (2, 1, 0, 1)),
}

# case: (image, multiplier, kernel, stride, dilation, padding)
DEPTHWISE = {
    "plain": ((2, 6, 5, 3), 1, (3, 3), (1, 1), (1, 1), "valid"),
    "multiplier_2": ((2, 5, 5, 3), 2, (3, 3), (1, 1), (1, 1), "valid"),
    "same_stride_2": ((1, 6, 6, 4), 2, (3, 3), (2, 2), (1, 1), "same"),
    "dilation_2": ((1, 7, 8, 2), 1, (3, 3), (1, 1), (2, 2), "valid"),
    "explicit": ((1, 5, 5, 2), 1, (2, 3), (1, 2), (1, 1), (1, 0, 1, 2)),
}

# case: (image, filters, kernel, stride, dilation, padding)
TRANSPOSE = {
    "plain": ((2, 4, 3, 3), 2, (3, 3), (1, 1), (1, 1), "valid"),
    "stride_2": ((2, 3, 4, 2), 3, (3, 3), (2, 2), (1, 1), "valid"),
    "same_stride_2": ((1, 4, 3, 2), 3, (3, 3), (2, 2), (1, 1), "same"),
    "same_even_kernel": ((1, 4, 4, 2), 2, (4, 4), (2, 2), (1, 1), "same"),
    "same_stride_3x2": ((1, 3, 3, 2), 2, (4, 3), (3, 2), (1, 1), "same"),
    "dilated": ((1, 4, 4, 2), 2, (3, 3), (1, 1), (2, 2), "valid"),
    "stride_and_dilation": ((1, 3, 3, 2), 2, (3, 2), (2, 3), (2, 2), "valid"),
    "explicit": ((1, 4, 4, 2), 3, (3, 3), (2, 2), (1, 1), (1, 0, 1, 2)),
}

# What Keras on TensorFlow's CPU kernels refuses: explicit padding, stride with dilation, dilated transposes.
KERAS_LACKS = {"explicit", "everything", "dilated", "stride_and_dilation"}


def write(book):
    for case, arguments in CONV2D.items():
        conv2d(book, case, *arguments)
    for case, arguments in DEPTHWISE.items():
        depthwise(book, case, *arguments)
    for case, arguments in TRANSPOSE.items():
        transpose(book, case, *arguments)


def config_of(image, kernel, stride, dilation, padding):
    sides = around(padding, image, kernel, stride, dilation)
    name = padding if isinstance(padding, str) else "explicit"
    return {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": name, "around": sides}


def leaves_of(file, case, shape, weight, filters):
    return {
        "x": numbers(f"{file}/{case}/x", shape),
        "weight": numbers(f"{file}/{case}/weight", weight),
        "bias": numbers(f"{file}/{case}/bias", (filters,)),
    }


def keras_twin(book, file, case, config, layer, leaves):
    parameters = {name: leaves[name] for name in ("weight", "bias")}
    keras_case(book, file, case, config, layer, leaves["x"], parameters)


def conv2d(book, case, shape, filters, kernel, stride, dilation, groups, padding):
    config = config_of(shape[1:3], kernel, stride, dilation, padding) | {"filters": filters, "groups": groups}
    leaves = leaves_of("conv2d", case, shape, (*kernel, shape[3] // groups, filters), filters)

    def run(x, weight, bias):
        image = F.pad(to_nchw(x), torch_sides(config["around"]))
        return to_nhwc(F.conv2d(image, weight.permute(3, 2, 0, 1), bias, stride, 0, dilation, groups))

    torch_case(book, "conv2d", case, config, leaves, run)
    if case not in KERAS_LACKS:
        layer = keras.layers.Conv2D(
            filters, kernel, strides=stride, padding=padding, dilation_rate=dilation, groups=groups
        )
        keras_twin(book, "conv2d", case, config, layer, leaves)


def depthwise(book, case, shape, multiplier, kernel, stride, dilation, padding):
    channels = shape[3]
    filters = channels * multiplier
    config = config_of(shape[1:3], kernel, stride, dilation, padding) | {"multiplier": multiplier}
    leaves = leaves_of("depthwise_conv2d", case, shape, (*kernel, 1, filters), filters)

    def run(x, weight, bias):
        image = F.pad(to_nchw(x), torch_sides(config["around"]))
        return to_nhwc(F.conv2d(image, weight.permute(3, 2, 0, 1), bias, stride, 0, dilation, channels))

    torch_case(book, "depthwise_conv2d", case, config, leaves, run)
    if case not in KERAS_LACKS:
        layer = keras.layers.DepthwiseConv2D(
            kernel, strides=stride, padding=padding, dilation_rate=dilation, depth_multiplier=multiplier
        )
        keras_twin(book, "depthwise_conv2d", case, config, layer, leaves)


def transpose(book, case, shape, filters, kernel, stride, dilation, padding):
    size = [places * step for places, step in zip(shape[1:3], stride)]
    config = config_of(size, kernel, stride, dilation, padding) | {"filters": filters}
    leaves = leaves_of("conv_transpose2d", case, shape, (*kernel, filters, shape[3]), filters)
    top, bottom, left, right = config["around"]

    def run(x, weight, bias):
        full = F.conv_transpose2d(to_nchw(x), weight.permute(3, 2, 0, 1), None, stride, dilation=dilation)
        rows, columns = full.shape[2:]
        return to_nhwc(full)[:, top : rows - bottom, left : columns - right] + bias

    torch_case(book, "conv_transpose2d", case, config, leaves, run)
    if case not in KERAS_LACKS:
        layer = keras.layers.Conv2DTranspose(
            filters, kernel, strides=stride, padding=padding, dilation_rate=dilation
        )
        keras_twin(book, "conv_transpose2d", case, config, layer, leaves)
