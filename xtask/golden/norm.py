"""Batch and layer normalisation.

`momentum` is the share of the old running statistics that a step keeps. Keras puts the batch's plain variance into the running one,
PyTorch the unbiased one; PyTorch's is therefore saved as `new_running_var_unbiased`.
"""

import keras
import torch.nn.functional as F

from book import numbers
from frameworks import keras_case, torch_case
from windows import to_nchw, to_nhwc

# case: (input, training)
BATCH = {
    "image_training": ((3, 4, 3, 2), True),
    "image_inference": ((2, 3, 4, 3), False),
    "vector_training": ((6, 4), True),
    "vector_inference": ((3, 5), False),
}
LAYER = {
    "vector": (4, 6),
    "sequence": (2, 3, 5),
    "image": (2, 3, 2, 4),
}
MOMENTUM, EPSILON = 0.99, 1e-3


def write(book):
    for case, (shape, training) in BATCH.items():
        batch_norm(book, case, shape, training)
    for case, shape in LAYER.items():
        layer_norm(book, case, shape)


def parameters_of(file, case, channels):
    return {
        "weight": numbers(f"{file}/{case}/weight", (channels,), 0.5, 1.5),
        "bias": numbers(f"{file}/{case}/bias", (channels,)),
    }


def batch_norm(book, case, shape, training):
    config = {"momentum": MOMENTUM, "epsilon": EPSILON, "training": training}
    channels = shape[-1]
    x = numbers(f"batch_norm/{case}/x", shape, -1, 2)
    parameters = parameters_of("batch_norm", case, channels)
    state = {
        "running_mean": numbers(f"batch_norm/{case}/mean", (channels,)),
        "running_var": numbers(f"batch_norm/{case}/var", (channels,), 0.5, 1.5),
    }

    def run(x, weight, bias, running_mean, running_var):
        mean, variance = running_mean.clone(), running_var.clone()
        image = to_nchw(x) if x.dim() == 4 else x
        y = F.batch_norm(image, mean, variance, weight, bias, training, 1 - MOMENTUM, EPSILON)
        more = {"new_running_mean": mean, "new_running_var_unbiased": variance} if training else {}
        return (to_nhwc(y) if x.dim() == 4 else y), more

    torch_case(book, "batch_norm", case, config, {"x": x} | parameters, run, fixed=state)
    layer = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    keras_case(
        book, "batch_norm", case, config, layer, x, parameters, call={"training": training}, state=state
    )


def layer_norm(book, case, shape):
    config = {"epsilon": EPSILON}
    x = numbers(f"layer_norm/{case}/x", shape, -1, 2)
    parameters = parameters_of("layer_norm", case, shape[-1])

    def run(x, weight, bias):
        return F.layer_norm(x, shape[-1:], weight, bias, EPSILON)

    torch_case(book, "layer_norm", case, config, {"x": x} | parameters, run)
    layer = keras.layers.LayerNormalization(epsilon=EPSILON)
    keras_case(book, "layer_norm", case, config, layer, x, parameters)
