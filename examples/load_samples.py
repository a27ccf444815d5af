"""Load samples from a dataset: one, many, by partition, and in batches.

usage: python examples/load_samples.py DATASET     (for instance demo/team/digits)
"""

from __future__ import annotations

import sys

import numpy as np

import lake


def main(path: str) -> None:
    """Print what a few ways of reading give."""
    digits = lake.open(path)
    print(f"{len(digits)} samples, the last is {digits[-1].id}")

    sample = digits["train"][0]
    picture = sample["image"]()  # fetched, checked against its digest, decoded: now
    print(f"{sample.id}: label {sample['label']()}, {picture.shape} {picture.dtype}")
    print(f"the same as a file: {sample['image'].path()}")

    # Ahead of the loop, many at once; memory stays bounded.
    totals = np.zeros(10)
    counts = np.zeros(10, dtype=int)
    for sample in digits["train"][:200].iter(prefetch=64):
        totals[sample["label"]()] += sample["image"]().mean()
        counts[sample["label"]()] += 1
    print("mean ink of 200 digits:", np.round(totals / counts, 1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/load_samples.py DATASET")
    main(sys.argv[1])
