"""Optimizers of PyTorch, followed for 100 steps.

The case `shared` holds the start [32] and the gradient of every step [100][32]; every other case holds the parameters after every tenth
step [10][32]. `clip_norm` is `torch.nn.utils.clip_grad_norm_`, which divides by the norm + 1e-6; `clip_value` clamps every element.
"""

import numpy as np
import torch

from book import numbers

COUNT, STEPS, EVERY = 32, 100, 10

# case: (optimizer, arguments of PyTorch's, clipping)
CASES = {
    "sgd": ("SGD", {"lr": 0.1}, {}),
    "sgd_weight_decay": ("SGD", {"lr": 0.1, "weight_decay": 0.05}, {}),
    "sgd_clip_norm": ("SGD", {"lr": 0.1}, {"clip_norm": 3.0}),
    "sgd_clip_value": ("SGD", {"lr": 0.1}, {"clip_value": 0.5}),
    "momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}, {}),
    "momentum_weight_decay": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.05}, {}),
    "nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}, {}),
    "nesterov_weight_decay": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}, {}),
    "adam": ("Adam", {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-7}, {}),
    "adam_pytorch_defaults": ("Adam", {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8}, {}),
    "adam_weight_decay": ("Adam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-7, "weight_decay": 0.05}, {}),
    "adam_clip_norm": ("Adam", {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-7}, {"clip_norm": 3.0}),
    "adamw": ("AdamW", {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-7, "weight_decay": 0.05}, {}),
    "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-7}, {}),
    "rmsprop_momentum": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-7, "momentum": 0.9}, {}),
    "rmsprop_weight_decay": ("RMSprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.05}, {}),
    "adagrad": ("Adagrad", {"lr": 0.1, "eps": 1e-10}, {}),
    "adagrad_accumulator": ("Adagrad", {"lr": 0.1, "eps": 1e-7, "initial_accumulator_value": 0.1}, {}),
    "adagrad_weight_decay": ("Adagrad", {"lr": 0.1, "eps": 1e-10, "weight_decay": 0.05}, {}),
}


def write(book):
    start = numbers("optimizer/start", (COUNT,))
    # Steps of different sizes, so that clipping acts on some of them; one parameter never gets a gradient.
    sizes = numbers("optimizer/sizes", (STEPS, 1), 0.1, 2.0)
    gradients = numbers("optimizer/gradients", (STEPS, COUNT)) * sizes
    gradients[:, 7] = 0.0
    book.add("pytorch/optimizer", "shared", {}, {"start": start, "gradients": gradients})
    for case, (name, arguments, clipping) in CASES.items():
        config = {"optimizer": name, "every": EVERY} | arguments | clipping
        path = follow(getattr(torch.optim, name), arguments, clipping, start, gradients)
        book.add("pytorch/optimizer", case, config, {"parameters": path})


def follow(optimizer, arguments, clipping, start, gradients):
    parameter = torch.nn.Parameter(torch.tensor(start))
    steps = optimizer([parameter], **arguments)
    path = []
    for step, gradient in enumerate(gradients, start=1):
        parameter.grad = torch.tensor(gradient)
        if "clip_norm" in clipping:
            torch.nn.utils.clip_grad_norm_([parameter], clipping["clip_norm"])
        if "clip_value" in clipping:
            torch.nn.utils.clip_grad_value_([parameter], clipping["clip_value"])
        steps.step()
        if step % EVERY == 0:
            path.append(parameter.detach().numpy().copy())
    return np.array(path)
