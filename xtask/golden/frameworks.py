"""Runs a computation in PyTorch or in Keras, asks for its gradients, and writes both down as a golden case.

Leaves are arrays in Plywood's layouts. A PyTorch computation permutes them inside the differentiated function, so its gradients
come back in Plywood's layouts by themselves; Keras' layouts are Plywood's but for a reshape.
"""

import sys

# PyTorch's optimizers would load Triton, whose copy of LLVM cannot live in one process with TensorFlow's.
sys.modules["triton"] = None

import keras
import numpy as np
import tensorflow as tf
import torch

from book import numbers

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
keras.backend.set_floatx("float64")

VERSIONS = {
    "pytorch": f"torch {torch.__version__.split('+')[0]}",
    "keras": f"keras {keras.__version__}, tensorflow {tf.__version__}",
}


def upstream(file, case, shape):
    """The gradient that arrives at the output; the same for every framework."""
    return numbers(f"{file}/{case}/dy", shape)


def torch_case(book, file, case, config, leaves, run, fixed=None, dy=None):
    """Writes the case of `run(**leaves, **fixed)`: output, upstream gradient `dy` and a gradient for every leaf.

    `run` returns y, or y with a dictionary of further outputs. `dy` may be a function of the output's shape.
    """
    fixed = fixed or {}
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
    constants = {name: torch.tensor(value) for name, value in fixed.items()}
    y = run(**tensors, **constants)
    y, more = y if isinstance(y, tuple) else (y, {})
    dy = dy(y.shape) if dy else upstream(file, case, y.shape)
    gradients = torch.autograd.grad(y, list(tensors.values()), torch.tensor(dy))
    saved = dict(leaves) | dict(fixed) | {"y": y.detach().numpy(), "dy": dy}
    saved |= {name: value.detach().numpy() for name, value in more.items()}
    saved |= {f"d{name}": gradient.numpy() for name, gradient in zip(leaves, gradients)}
    book.add(f"pytorch/{file}", case, config, saved)


def keras_case(book, file, case, config, layer, x, parameters, fixed=None, dy=None, call=None, state=None):
    """Writes the case of a Keras layer applied to `x` with `parameters`, in the order of the layer's trainable variables.

    `state` holds its other variables, whose values after the call are saved as `new_<name>`. An integer `x` gets no gradient.
    """
    state = state or {}
    layer.build(x.shape)
    for variable, value in zip(layer.trainable_variables, parameters.values(), strict=True):
        variable.assign(np.reshape(value, variable.shape))
    for variable, value in zip(layer.non_trainable_variables if state else [], state.values(), strict=True):
        variable.assign(value)
    variables = [variable.value for variable in layer.trainable_variables]
    differentiable = np.issubdtype(x.dtype, np.floating)
    x_tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        if differentiable:
            tape.watch(x_tensor)
        y = layer(x_tensor, **(call or {}))
    dy = dy(y.shape) if dy else upstream(file, case, y.shape)
    sources = variables + ([x_tensor] if differentiable else [])
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(y, sources, output_gradients=tf.constant(dy))]
    saved = {"x": x, "y": y.numpy(), "dy": dy} | parameters | state | (fixed or {})
    saved |= {f"d{name}": np.reshape(g, value.shape) for (name, value), g in zip(parameters.items(), gradients)}
    if differentiable:
        saved["dx"] = gradients[-1].numpy()
    for name, variable in zip(state, layer.non_trainable_variables):
        saved[f"new_{name}"] = np.array(variable.value)
    book.add(f"keras/{file}", case, config, saved)
