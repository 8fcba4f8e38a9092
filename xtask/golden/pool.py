"""Pooling: largest, mean, and the mean over a whole image.

Padding never wins a maximum, and counts neither in a mean's sum nor in its number (as in Keras; PyTorch gets there by dividing the
padded image's mean by that of the padding's complement).
"""

import keras
import torch
import torch.nn.functional as F

from book import distinct, numbers
from frameworks import keras_case, torch_case
from windows import around, to_nchw, to_nhwc, torch_sides

# case: (image, window, stride, padding)
CASES = {
    "plain": ((2, 4, 6, 3), (2, 2), (2, 2), "valid"),
    "drops_the_rest": ((2, 5, 7, 2), (2, 2), (2, 2), "valid"),
    "overlapping": ((1, 5, 6, 2), (3, 3), (1, 2), "valid"),
    "window_3x2": ((1, 6, 6, 2), (3, 2), (3, 2), "valid"),
    "same_stride_2": ((2, 5, 6, 2), (3, 3), (2, 2), "same"),
    "same_stride_1": ((1, 4, 4, 2), (2, 2), (1, 1), "same"),
    "explicit": ((1, 5, 5, 2), (3, 3), (2, 2), (1, 0, 0, 2)),
}


def write(book):
    for case, (shape, window, stride, padding) in CASES.items():
        sides = around(padding, shape[1:3], window, stride, (1, 1))
        name = padding if isinstance(padding, str) else "explicit"
        config = {"window": window, "stride": stride, "padding": name, "around": sides}
        largest(book, case, config, shape)
        mean(book, case, config, shape)
    ties(book)
    whole_image(book)


def largest(book, case, config, shape):
    x = distinct(f"max_pool2d/{case}/x", shape)
    sides = torch_sides(config["around"])

    def run(x):
        image = F.pad(to_nchw(x), sides, value=-torch.inf)
        return to_nhwc(F.max_pool2d(image, config["window"], config["stride"]))

    torch_case(book, "max_pool2d", case, config, {"x": x}, run)
    if config["padding"] != "explicit":
        layer = keras.layers.MaxPooling2D(config["window"], config["stride"], config["padding"])
        keras_case(book, "max_pool2d", case, config, layer, x, {})


def mean(book, case, config, shape):
    x = numbers(f"avg_pool2d/{case}/x", shape)
    sides = torch_sides(config["around"])

    def padded_mean(image):
        return F.avg_pool2d(F.pad(image, sides), config["window"], config["stride"])

    def run(x):
        image = to_nchw(x)
        return to_nhwc(padded_mean(image) / padded_mean(torch.ones_like(image)))

    torch_case(book, "avg_pool2d", case, config, {"x": x}, run)
    if config["padding"] != "explicit":
        layer = keras.layers.AveragePooling2D(config["window"], config["stride"], config["padding"])
        keras_case(book, "avg_pool2d", case, config, layer, x, {})


def ties(book):
    """Equal numbers in a window: the first, row by row, gets the gradient (both frameworks)."""
    x = numbers("max_pool2d/ties/x", (1, 4, 4, 2), -2, 2).round()
    config = {"window": (2, 2), "stride": (2, 2), "padding": "valid", "around": [0, 0, 0, 0]}
    torch_case(book, "max_pool2d", "ties", config, {"x": x}, lambda x: to_nhwc(F.max_pool2d(to_nchw(x), 2)))
    keras_case(book, "max_pool2d", "ties", config, keras.layers.MaxPooling2D(2), x, {})


def whole_image(book):
    x = numbers("global_avg_pool2d/plain/x", (2, 3, 5, 4))
    torch_case(book, "global_avg_pool2d", "plain", {}, {"x": x}, lambda x: x.mean(dim=(1, 2)))
    keras_case(book, "global_avg_pool2d", "plain", {}, keras.layers.GlobalAveragePooling2D(), x, {})
