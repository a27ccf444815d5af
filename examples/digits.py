"""Write real pictures to work with: 1,797 handwritten digits with labels, and two photographs.

They come with scikit-learn, so nothing is downloaded.

usage: python examples/digits.py OUT

OUT/digits/train/0000.png   8 x 8 pixels, grey
OUT/digits/train/0000.json  {"label": 0}
OUT/photos/china.jpg, flower.jpg   427 x 640 pixels, colour, the very bytes that scikit-learn ships
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

TRAIN = 1500
"""So many digits go to `train`, the others to `test`."""


def write_digits(out: Path) -> int:
    """Write the digits as PNG and label below `out`; returns how many there are."""
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = out / ("train" if number < TRAIN else "test")
        folder.mkdir(parents=True, exist_ok=True)
        # The set has 17 shades, 0 to 16.
        Image.fromarray((pixels * 255 / 16).astype(np.uint8)).save(folder / f"{number:04d}.png")
        (folder / f"{number:04d}.json").write_text(json.dumps({"label": int(label)}) + "\n")
    return len(digits.images)


def copy_photos(out: Path) -> list[str]:
    """Copy scikit-learn's sample photographs to `out`; returns their names."""
    out.mkdir(parents=True, exist_ok=True)
    names = ["china.jpg", "flower.jpg"]
    for name in names:
        with as_file(files("sklearn.datasets.images") / name) as source:
            shutil.copyfile(source, out / name)
    return names


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/digits.py OUT")
    target = Path(sys.argv[1])
    count = write_digits(target / "digits")
    photos = copy_photos(target / "photos")
    print(f"{count} digits in {target / 'digits'}, {' and '.join(photos)} in {target / 'photos'}")
