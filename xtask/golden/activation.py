"""Activations and softmax: output and input gradient, also at zero and far out.

TensorFlow keeps some constants in f32 whatever the inputs are: LeakyReLU's slope, so it is one that f32 holds exactly, and GELU's √2, so
Keras' values are good to eight digits alone; the configuration says so as `tolerance`.
"""

import keras
import numpy as np
import torch
import torch.nn.functional as F

from book import numbers
from frameworks import keras_case, torch_case

# layer: (configuration, PyTorch's function, Keras' layer)
ACTIVATIONS = {
    "relu": ({}, F.relu, keras.layers.ReLU()),
    "leaky_relu": ({"slope": 0.125}, lambda x: F.leaky_relu(x, 0.125), keras.layers.LeakyReLU(negative_slope=0.125)),
    "gelu": ({}, F.gelu, keras.layers.Activation("gelu")),
    "silu": ({}, F.silu, keras.layers.Activation("silu")),
    "tanh": ({}, torch.tanh, keras.layers.Activation("tanh")),
    "sigmoid": ({}, torch.sigmoid, keras.layers.Activation("sigmoid")),
}


def write(book):
    for name, (config, function, layer) in ACTIVATIONS.items():
        inputs = {
            "plain": numbers(f"{name}/plain/x", (4, 10), -3, 3),
            "far_out": np.array([[0.0, -1e-8, 1e-8, -1e-3, 1e-3, -5.0, 5.0, -12.0, 12.0, -25.0, 25.0]]),
        }
        for case, x in inputs.items():
            torch_case(book, name, case, config, {"x": x}, lambda x, f=function: f(x))
            tolerance = {"tolerance": 1e-8} if name == "gelu" else {}
            keras_case(book, name, case, config | tolerance, layer, x, {})
    softmax(book)


def softmax(book):
    inputs = {
        "plain": numbers("softmax/plain/x", (3, 5), -2, 2),
        "one_class": numbers("softmax/one_class/x", (2, 1)),
        "shifted": numbers("softmax/shifted/x", (3, 4), -20, 20) + 700.0,
        "sequence": numbers("softmax/sequence/x", (2, 3, 4), -2, 2),
    }
    for case, x in inputs.items():
        torch_case(book, "softmax", case, {}, {"x": x}, lambda x: torch.softmax(x, -1))
        keras_case(book, "softmax", case, {}, keras.layers.Softmax(), x, {})
