"""The work that Plywood and its peers do, and how it is timed: one line of JSON a run.

    python pytorch.py WORK --steps N --threads N --data DIR

WORK is one of cnn-training, cnn-inference-250, cnn-inference-1, gru-training, gru-inference-256.
"""

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np

WARM_UP = 10
VOCABULARY, STEPS, CLASSES = 10_000, 100, 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, help="folder of the Fashion-MNIST files")
    return parser.parse_args()


def images(folder):
    """Images in [0, 1], N x 28 x 28 x 1, and their classes."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return (pixels.reshape(-1, 28, 28, 1) / np.float32(255)).astype(np.float32), labels.astype(np.int64)


def texts(samples):
    """Random tokens and classes, N x T."""
    random = np.random.default_rng(0)
    tokens = random.integers(0, VOCABULARY, (samples, STEPS))
    return tokens.astype(np.int64), random.integers(0, CLASSES, (samples, STEPS)).astype(np.int64)


def batch_of(work):
    return {"cnn-training": 32, "gru-training": 32}.get(work) or int(work.rsplit("-", 1)[1])


def batches(work, folder):
    """Endless batches of inputs and targets, in the order of the data."""
    size = batch_of(work)
    x, y = images(folder) if work.startswith("cnn") else texts(40 * size)
    at = 0
    while True:
        if at + size > len(x):
            at = 0
        yield x[at : at + size], y[at : at + size]
        at += size


def report(name, version, options, step):
    """Times `step`, which takes inputs and targets and returns a loss or None, and prints the figures."""
    source = batches(options.work, options.data)
    for _ in range(WARM_UP):
        step(*next(source))
    losses = []
    start = time.perf_counter()
    for _ in range(options.steps):
        losses.append(step(*next(source)))
    seconds = time.perf_counter() - start
    last = [float(loss) for loss in losses[-50:] if loss is not None]
    figures = {
        "name": name,
        "version": version,
        "work": options.work,
        "steps": options.steps,
        "seconds": seconds,
        "loss": sum(last) / len(last) if last else None,
    }
    print(json.dumps(figures))
