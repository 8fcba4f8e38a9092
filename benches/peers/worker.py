"""What every Python contestant has in common: it reads one request a line and answers each with one line of JSON.

    {"do": "prepare", "work": {...}}   builds the network, takes the warm-up steps      -> {"loss": 2.1, "variant": "..."}
    {"do": "run", "seconds": 0.5}      steps on until so many seconds have passed       -> {"steps": 310, "seconds": 0.501}
    {"do": "memory"}                   says how much memory the process has had at most -> {"bytes": 123456789}

The first line it prints, unasked, is {"name": ..., "version": ...}. What it cannot do it answers with {"unsupported": reason},
and a fault with {"error": what}. A work says which network (cnn, gru, lstm, vgg, mlp, product), which mode (training,
inference, stream), batch, steps of a sequence, threads, Adam's rate, how many warm-up steps and how many seconds they may take (0
for any), over how many of the last of them the loss is the mean, and which files hold inputs (bytes of pixels, or tokens of four
bytes) and targets (a byte each). `worker.rs` says the same for the contestants in Rust.
"""

import json
import os
import sys
import time
import traceback
from itertools import cycle

import numpy as np

CLASSES, VOCABULARY = 10, 10_000
IMAGE = {"cnn": (28, 28, 1), "vgg": (32, 32, 3), "mlp": (784,)}
# The share of a run that goes before it untimed: caches and threads that other contestants used meanwhile.
UNTIMED = 1 / 8


class Unsupported(Exception):
    """Work that a framework has no means for; the message says why."""


def batches(work):
    """The batches of inputs and targets, in the order of the data; images in [0, 1], N x H x W x C."""
    size, steps, samples = work["batch"], work["steps"], work["samples"]
    targets = np.fromfile(work["targets"], np.uint8).astype(np.int64)
    if work["network"] in IMAGE:
        pixels = np.fromfile(work["inputs"], np.uint8).reshape(samples, *IMAGE[work["network"]])
        inputs = pixels.astype(np.float32) / np.float32(255)
    else:
        inputs = np.fromfile(work["inputs"], np.uint32).astype(np.int64).reshape(samples, steps)
        targets = targets.reshape(samples, steps)
    return [(inputs[at : at + size], targets[at : at + size]) for at in range(0, samples - size + 1, size)]


def product(work):
    """The two factors of a matrix product."""
    def filled(rows, columns):
        return ((np.arange(rows * columns) * 7919 + 13) % 1000 / 500 - 1).astype(np.float32).reshape(rows, columns)

    return filled(work["m"], work["k"]), filled(work["k"], work["n"])


class Running:
    """A work that has been prepared: its step, and how long one took."""

    def __init__(self, work, step):
        self.step = step
        self.repeats = work.get("repeats", 1)
        self.seconds_a_step = 0.0
        losses = self._warm_up(work)
        last = losses[-work["losses"] :] if work["losses"] else []
        self.loss = float(np.mean(last)) if last and last[0] is not None else None

    def _warm_up(self, work):
        start, losses = time.perf_counter(), []
        for done in range(1, work["warm_up"] + 1):
            losses.append(self.step())
            took = time.perf_counter() - start
            if 0 < work["patience"] < took:
                raise Unsupported(f"{done} of {work['warm_up']} steps before the first timed one took {took:.1f} s")
        return losses

    def run(self, seconds):
        self._until(seconds * UNTIMED - self.seconds_a_step, 0)
        steps, took = self._until(seconds, 1)
        self.seconds_a_step = took / steps
        return {"steps": steps, "seconds": took}

    def _until(self, seconds, least):
        """Steps until `seconds` have passed, and at least so many times; the clock is read every `repeats` steps."""
        steps, start = 0, time.perf_counter()
        while steps < least or time.perf_counter() - start < seconds:
            for _ in range(self.repeats):
                self.step()
            steps += self.repeats
        return steps, time.perf_counter() - start


def memory():
    """Bytes of the process at most."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return {"bytes": int(line.split()[1]) * 1024}
    raise Unsupported("this system does not tell")


def serve(name, version, prepare):
    """Answers requests until there are no more. `prepare` gives the step of a work, and what its variant is called or None."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the frameworks print goes elsewhere
    def say(answer):
        channel.write(json.dumps(answer) + "\n")
        channel.flush()

    say({"name": name, "version": version})
    running = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                running = None
                step, variant = prepare(request["work"])
                running = Running(request["work"], step)
                say({"loss": running.loss, "variant": variant})
            elif request["do"] == "run":
                say(running.run(request["seconds"]))
            else:
                say(memory())
        except Unsupported as reason:
            say({"unsupported": str(reason)})
        except Exception:
            say({"error": traceback.format_exc(limit=-3)})


def in_turn(source):
    """The batches over and over."""
    return cycle(source).__next__
