"""Losses: the weighted mean over rows, and its gradient.

A row is a sample, or a step of one. The value is Σ weight · loss / Σ weight; a masked step has weight zero. Losses of real numbers are
means over the row's features. Cross-entropies start from logits.
"""

import keras
import numpy as np
import tensorflow as tf
import torch
import torch.nn.functional as F

from book import integers, numbers

ROWS, CLASSES = 5, 4
IGNORED = -100


def write(book):
    for case, weights in weightings("cross_entropy").items():
        sparse(book, case, weights, 0.0)
        sparse(book, f"{case}_smoothed", weights, 0.1)
        dense(book, case, weights, 0.0)
        dense(book, f"{case}_smoothed", weights, 0.2)
    masked_steps(book)
    for case, weights in weightings("real").items():
        reals(book, case, weights)


def weightings(key):
    return {"plain": np.ones(ROWS), "weighted": numbers(f"{key}/weights", (ROWS,), 0.2, 2.0)}


def torch_loss(book, file, case, config, output, targets, weights, rows):
    """`rows(output, targets)` gives the loss of every row, in PyTorch."""
    leaf = torch.tensor(output, requires_grad=True)
    share = torch.tensor(weights / weights.sum())
    value = (rows(leaf, torch.tensor(targets)) * share).sum()
    (gradient,) = torch.autograd.grad(value, leaf)
    save(book, f"pytorch/{file}", case, config, output, targets, weights, value.detach(), gradient.numpy())


def keras_loss(book, file, case, config, output, targets, weights, loss):
    """`loss` is a Keras loss that divides by the sum of the weights."""
    leaf = tf.constant(output)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        value = loss(tf.constant(targets), leaf, sample_weight=tf.constant(weights))
    gradient = tape.gradient(value, leaf).numpy()
    save(book, f"keras/{file}", case, config, output, targets, weights, value, gradient)


def save(book, file, case, config, output, targets, weights, value, gradient):
    tensors = {"output": output, "targets": targets, "weights": weights}
    book.add(file, case, config, tensors | {"value": np.array([float(value)]), "doutput": gradient})


def sparse(book, case, weights, smoothing):
    logits = numbers(f"sparse/{case}/output", (ROWS, CLASSES), -3, 3)
    classes = integers(f"sparse/{case}/targets", (ROWS,), CLASSES)
    config = {"label_smoothing": smoothing}

    def rows(output, targets):
        return F.cross_entropy(output, targets, reduction="none", label_smoothing=smoothing)

    torch_loss(book, "sparse_cross_entropy", case, config, logits, classes, weights, rows)
    if smoothing == 0.0:
        loss = keras.losses.SparseCategoricalCrossentropy(True, reduction="mean_with_sample_weight")
        keras_loss(book, "sparse_cross_entropy", case, config, logits, classes, weights, loss)


def dense(book, case, weights, smoothing):
    logits = numbers(f"dense/{case}/output", (ROWS, CLASSES), -3, 3)
    shares = numbers(f"dense/{case}/targets", (ROWS, CLASSES), 0, 1)
    shares /= shares.sum(axis=1, keepdims=True)
    config = {"label_smoothing": smoothing}

    def rows(output, targets):
        return F.cross_entropy(output, targets, reduction="none", label_smoothing=smoothing)

    torch_loss(book, "dense_cross_entropy", case, config, logits, shares, weights, rows)
    loss = keras.losses.CategoricalCrossentropy(True, smoothing, reduction="mean_with_sample_weight")
    keras_loss(book, "dense_cross_entropy", case, config, logits, shares, weights, loss)


def masked_steps(book):
    """Classes of a padded sequence; PyTorch ignores the padded steps by their class, Keras by the outputs' mask."""
    samples, steps = 3, 4
    logits = numbers("sparse/masked/output", (samples, steps, CLASSES), -3, 3)
    classes = integers("sparse/masked/targets", (samples, steps), CLASSES)
    mask = np.arange(steps)[None, :] < np.array([4, 1, 2])[:, None]
    config = {"label_smoothing": 0.0}
    weights = mask.astype(float)

    leaf = torch.tensor(logits, requires_grad=True)
    ignoring = torch.tensor(np.where(mask, classes, IGNORED)).reshape(-1)
    value = F.cross_entropy(leaf.reshape(-1, CLASSES), ignoring, ignore_index=IGNORED)
    (gradient,) = torch.autograd.grad(value, leaf)
    file = "sparse_cross_entropy"
    save(book, f"pytorch/{file}", "masked_steps", config, logits, classes, weights, value.detach(), gradient.numpy())

    leaf = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        output = tf.identity(leaf)
        keras.src.backend.set_keras_mask(output, tf.constant(mask))
        value = keras.losses.SparseCategoricalCrossentropy(True)(tf.constant(classes), output)
    gradient = tape.gradient(value, leaf).numpy()
    save(book, f"keras/{file}", "masked_steps", config, logits, classes, weights, value, gradient)


def reals(book, case, weights):
    shape = (ROWS, 3)
    output = numbers(f"reals/{case}/output", shape, -2, 2)
    targets = numbers(f"reals/{case}/targets", shape, -2, 2)
    shares = numbers(f"reals/{case}/shares", shape, 0, 1)
    mean = {"reduction": "mean_with_sample_weight"}
    table = {
        "mse": ({}, F.mse_loss, keras.losses.MeanSquaredError(**mean)),
        "mae": ({}, F.l1_loss, keras.losses.MeanAbsoluteError(**mean)),
        "huber": (
            {"delta": 0.7},
            lambda y, t, reduction: F.huber_loss(y, t, reduction, 0.7),
            keras.losses.Huber(0.7, **mean),
        ),
        "binary_cross_entropy": (
            {},
            F.binary_cross_entropy_with_logits,
            keras.losses.BinaryCrossentropy(True, **mean),
        ),
    }
    for file, (config, function, loss) in table.items():
        goal = shares if file == "binary_cross_entropy" else targets

        def rows(output, targets, function=function):
            return function(output, targets, reduction="none").mean(dim=-1)

        torch_loss(book, file, case, config, output, goal, weights, rows)
        keras_loss(book, file, case, config, output, goal, weights, loss)
