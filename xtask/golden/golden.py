"""Writes the golden values that Plywood's tests compare with: `python golden.py FOLDER`.

Every layer, loss and optimizer runs in PyTorch and, where it has it, in Keras, in f64 on small random inputs. The files are
described in `crates/testing/golden/README.md`.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import activation  # noqa: E402
import conv  # noqa: E402
import dense  # noqa: E402
import loss  # noqa: E402
import norm  # noqa: E402
import optim  # noqa: E402
import pool  # noqa: E402
import rnn  # noqa: E402
from book import Book  # noqa: E402
from frameworks import VERSIONS  # noqa: E402


def main(folder):
    book = Book(VERSIONS)
    for topic in (conv, pool, dense, rnn, norm, activation, loss, optim):
        topic.write(book)
    book.write(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python golden.py FOLDER")
    main(sys.argv[1])
