"""Dense layers, weight [in][out], and embeddings, weight [vocabulary][features]."""

import keras
import torch
import torch.nn.functional as F

from book import integers, numbers
from frameworks import keras_case, torch_case

# case: (input, outputs, whether there is a bias)
DENSE = {
    "plain": ((4, 5), 3, True),
    "no_bias": ((3, 6), 2, False),
    "one_sample": ((1, 7), 4, True),
    "sequence": ((2, 3, 4), 5, True),
}

# case: (tokens' shape, vocabulary, features)
EMBEDDING = {
    "sequence": ((3, 5), 7, 4),
    "repeated_tokens": ((4, 8), 3, 2),
}


def write(book):
    for case, (shape, outputs, bias) in DENSE.items():
        dense(book, case, shape, outputs, bias)
    for case, (shape, vocabulary, features) in EMBEDDING.items():
        embedding(book, case, shape, vocabulary, features)


def dense(book, case, shape, outputs, bias):
    config = {"outputs": outputs, "bias": bias}
    x = numbers(f"dense/{case}/x", shape)
    parameters = {"weight": numbers(f"dense/{case}/weight", (shape[-1], outputs))}
    if bias:
        parameters["bias"] = numbers(f"dense/{case}/bias", (outputs,))

    def run(x, weight, bias=None):
        return F.linear(x, weight.T, bias)

    torch_case(book, "dense", case, config, {"x": x} | parameters, run)
    keras_case(book, "dense", case, config, keras.layers.Dense(outputs, use_bias=bias), x, parameters)


def embedding(book, case, shape, vocabulary, features):
    config = {"vocabulary": vocabulary, "features": features}
    tokens = integers(f"embedding/{case}/x", shape, vocabulary)
    weight = numbers(f"embedding/{case}/weight", (vocabulary, features))

    def run(weight, x):
        return F.embedding(x.to(torch.int64), weight)

    torch_case(book, "embedding", case, config, {"weight": weight}, run, fixed={"x": tokens})
    layer = keras.layers.Embedding(vocabulary, features)
    keras_case(book, "embedding", case, config, layer, tokens, {"weight": weight})
