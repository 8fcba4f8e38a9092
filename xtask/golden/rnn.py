"""Recurrent layers, one direction and both, over full and over padded sequences.

Sequences are [sample][step][feature]. Gates lie side by side in Keras' order (GRU z, r, h; LSTM i, f, c, o): weight [features][gates · units],
recurrent_weight [units][gates · units], bias [gates · units], or [2][3 · units] (of the input, of the state) for a GRU that resets
after the product. A second direction's parameters have the prefix `reverse_`.

Padded sequences carry `lengths`. Keras repeats the last state in padded steps (`"padded": "repeat"`). PyTorch's packed sequences, and Keras'
Bidirectional, give zeros there (`"padded": "zero"`): a choice, not the layer's mathematics, so these can be compared in valid steps alone,
and the upstream gradient of the others is zero.
"""

import keras
import numpy as np
import tensorflow as tf
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from book import numbers
from frameworks import keras_case, torch_case, upstream

GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}
TORCH = {"simple_rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
KERAS = {"simple_rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}

# case: (samples, steps, features, units, lengths)
SHAPES = {
    "full": (2, 4, 3, 5, None),
    "one_step": (3, 1, 2, 4, None),
    "padded": (3, 5, 2, 3, [5, 2, 1]),
}


def write(book):
    for cell in GATES:
        for both in (False, True):
            for reset_after in (True, False) if cell == "gru" else (None,):
                for shape in SHAPES:
                    for returns in ("sequence", "last"):
                        recurrent(book, cell, both, reset_after, shape, returns)


def recurrent(book, cell, both, reset_after, shape, returns):
    samples, steps, features, units, lengths = SHAPES[shape]
    file = f"bidirectional_{cell}" if both else cell
    case = f"{shape}_{returns}" + ("_reset_before" if reset_after is False else "")
    config = {"units": units, "returns": returns}
    if reset_after is not None:
        config["reset_after"] = reset_after
    x = numbers(f"{file}/{case}/x", (samples, steps, features))
    parameters = {}
    for prefix in ("", "reverse_") if both else ("",):
        parameters |= direction(f"{file}/{case}", prefix, GATES[cell], features, units, bool(reset_after))
    fixed = {"lengths": np.array(lengths)} if lengths else {}

    if reset_after is not False:
        write_torch(book, cell, file, case, config, x, parameters, fixed)
    write_keras(book, cell, file, case, config, x, parameters, fixed)


def direction(key, prefix, gates, features, units, two_biases):
    bias = (2, gates * units) if two_biases else (gates * units,)
    shapes = {"weight": (features, gates * units), "recurrent_weight": (units, gates * units), "bias": bias}
    return {prefix + name: numbers(f"{key}/{prefix}{name}", shape) for name, shape in shapes.items()}


def write_torch(book, cell, file, case, config, x, parameters, fixed):
    both = file.startswith("bidirectional")
    sequence = config["returns"] == "sequence"
    module = TORCH[cell](x.shape[-1], config["units"], batch_first=True, bidirectional=both)
    if fixed:
        config = config | {"padded": "zero"}

    def run(x, lengths=None, **parameters):
        packed = x
        if lengths is not None:
            packed = pack_padded_sequence(x, lengths.to(torch.int64), batch_first=True, enforce_sorted=False)
        weights = torch_parameters(cell, parameters)
        y, state = torch.func.functional_call(module, weights, (packed,))
        if lengths is not None:
            y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
        state = state[0] if cell == "lstm" else state
        return y if sequence else torch.cat(list(state), dim=-1)

    dy = valid_gradient(file, case, config, fixed)
    torch_case(book, file, case, config, {"x": x} | parameters, run, fixed, dy)


def torch_parameters(cell, parameters):
    """Plywood's parameters under PyTorch's names: gates in rows, a GRU's as r, z, n, and always two biases."""

    def gates(values):
        if cell != "gru":
            return values
        z, r, h = values.chunk(3, dim=-1)
        return torch.cat([r, z, h], dim=-1)

    named = {}
    for prefix in ("", "reverse_"):
        if prefix + "weight" not in parameters:
            continue
        suffix = "_l0_reverse" if prefix else "_l0"
        bias = parameters[prefix + "bias"]
        of_input, of_state = bias if bias.dim() == 2 else (bias, torch.zeros_like(bias))
        named["weight_ih" + suffix] = gates(parameters[prefix + "weight"]).T
        named["weight_hh" + suffix] = gates(parameters[prefix + "recurrent_weight"]).T
        named["bias_ih" + suffix] = gates(of_input)
        named["bias_hh" + suffix] = gates(of_state)
    return named


def write_keras(book, cell, file, case, config, x, parameters, fixed):
    options = {"reset_after": config["reset_after"]} if cell == "gru" else {}
    layer = KERAS[cell](config["units"], return_sequences=config["returns"] == "sequence", **options)
    if file.startswith("bidirectional"):
        layer = keras.layers.Bidirectional(layer, merge_mode="concat")
    call = {}
    if fixed:
        config = config | {"padded": "zero" if file.startswith("bidirectional") else "repeat"}
        call["mask"] = tf.constant(valid(fixed["lengths"], x.shape[1]))
    dy = valid_gradient(file, case, config, fixed)
    keras_case(book, file, case, config, layer, x, parameters, fixed, dy, call)


def valid_gradient(file, case, config, fixed):
    """The upstream gradient, zero where the outputs are."""

    def dy(shape):
        gradient = upstream(file, case, shape)
        if config.get("padded") == "zero" and config["returns"] == "sequence":
            gradient *= valid(fixed["lengths"], shape[1])[:, :, None]
        return gradient

    return dy


def valid(lengths, steps):
    """[sample][step]: whether the step is before the sample's end."""
    return np.arange(steps)[None, :] < np.asarray(lengths)[:, None]
