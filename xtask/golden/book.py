"""The golden files: named arrays, collected case by case and written as safetensors.

The writer is our own few lines (format: https://github.com/huggingface/safetensors) because it sorts everything: the same
values give the same bytes, so that a second run leaves no difference behind.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np


def numbers(key, shape, low=-1.0, high=1.0):
    """Uniform random numbers that depend on `key` and `shape` alone, so that every framework sees the same ones."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    return generator.uniform(low, high, shape)


def integers(key, shape, below):
    """Random integers from 0 to below - 1, a function of `key` and `shape`."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    return generator.integers(0, below, shape)


def distinct(key, shape):
    """Numbers in [-1, 1) without ties."""
    count = int(np.prod(shape))
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    return (2.0 * generator.permutation(count) / count - 1.0).reshape(shape)


class Book:
    """All golden cases, by file (`<framework>/<layer>`) and name."""

    def __init__(self, versions):
        self.versions = versions
        self.files = {}

    def add(self, file, case, config, tensors):
        """Adds one case; every tensor is stored as f64, indices too."""
        cases = self.files.setdefault(file, {})
        assert case not in cases, f"{file}/{case} twice"
        assert "." not in case and case != "versions"
        tensors = {name: np.ascontiguousarray(value, dtype="<f8") for name, value in tensors.items()}
        for name, value in tensors.items():
            assert np.isfinite(value).all(), f"{file}/{case}.{name} is not finite"
        cases[case] = (config, tensors)

    def write(self, folder):
        """Writes one file a layer below `folder`."""
        for file, cases in sorted(self.files.items()):
            path = Path(folder) / f"{file}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._encode(file, cases))
            print(f"{file}: {len(cases)} cases, {path.stat().st_size} bytes")

    def _encode(self, file, cases):
        framework = file.split("/")[0]
        metadata = {case: json.dumps(config, sort_keys=True) for case, (config, _) in cases.items()}
        metadata["versions"] = self.versions[framework]
        header, data, offset = {"__metadata__": dict(sorted(metadata.items()))}, [], 0
        for case, (_, tensors) in sorted(cases.items()):
            for name, value in sorted(tensors.items()):
                end = offset + value.nbytes
                header[f"{case}.{name}"] = {"dtype": "F64", "shape": value.shape, "data_offsets": [offset, end]}
                data.append(value.tobytes())
                offset = end
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + b"".join(data)
