"""The work that Plywood and its peers do, and how it is timed: one line of JSON a run.

    python pytorch.py WORK --steps N --seconds S --threads N --data DIR

WORK is one of cnn-training, cnn-inference-250, cnn-inference-1, gru-training, gru-inference-256. After a warm-up, at
least N steps and at least S seconds are timed; the loss is the mean over the last 50 of the first N steps.
"""

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np

WARM_UP = 20
LOSS_STEPS = 50
IMAGES, BATCHES_OF_TEXTS = 12_800, 40
VOCABULARY, STEPS, CLASSES = 10_000, 100, 10
BATCH = {
    "cnn-training": 32,
    "cnn-inference-250": 250,
    "cnn-inference-1": 1,
    "gru-training": 32,
    "gru-inference-256": 256,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=BATCH)
    parser.add_argument("--steps", type=int, default=100, help="steps timed at least")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds timed at least")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, help="folder of the Fashion-MNIST files, unpacked or .gz")
    options = parser.parse_args()
    if options.work.startswith("cnn") and options.data is None:
        parser.error(f"{options.work} needs --data")
    return options


def idx(folder, name, header):
    """The bytes of an IDX file behind its header."""
    packed = folder / f"{name}.gz"
    if packed.exists():
        with gzip.open(packed) as file:
            return np.frombuffer(file.read(), np.uint8, offset=header)
    return np.frombuffer((folder / name).read_bytes(), np.uint8, offset=header)


def images(folder):
    """The first images in [0, 1], N x 28 x 28 x 1, and their classes."""
    pixels = idx(folder, "train-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1)[:IMAGES]
    labels = idx(folder, "train-labels-idx1-ubyte", 8)[:IMAGES]
    return pixels.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def texts(samples):
    """Random tokens, N x T; the class of a step is its token modulo the classes, so that there is something to learn."""
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (samples, STEPS), np.int64)
    return tokens, tokens % CLASSES


def batches(work, folder):
    """The batches of inputs and targets, in the order of the data."""
    size = BATCH[work]
    x, y = images(folder) if work.startswith("cnn") else texts(BATCHES_OF_TEXTS * size)
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x) - size + 1, size)]


def report(name, version, options, prepare, step):
    """Times `step` and prints the figures.

    `prepare` turns a batch of inputs or targets into the framework's tensor, before the clock starts; `step` takes both
    and returns a loss, or None where there is none.
    """
    source = [(prepare(x), prepare(y)) for x, y in batches(options.work, options.data)]
    for index in range(WARM_UP):
        step(*source[index % len(source)])
    losses, done = [], 0
    start = time.perf_counter()
    while done < options.steps or time.perf_counter() - start < options.seconds:
        loss = step(*source[(WARM_UP + done) % len(source)])
        done += 1
        if loss is not None and options.steps - LOSS_STEPS < done <= options.steps:
            losses.append(loss)
    seconds = time.perf_counter() - start
    figures = {
        "name": name,
        "version": version,
        "work": options.work,
        "steps": done,
        "seconds": seconds,
        "loss": float(np.mean(losses)) if losses else None,
    }
    print(json.dumps(figures))
