"""A stage of your own, in one file: keep the samples whose picture has enough ink.

usage: lake ink digits dark --at-least 90 --module examples/own_stage.py
       python examples/own_stage.py DATASET

The same class is the command above, its help (lake help ink --module ...), the YAML form and the
Python object below. In an installed package it needs no --module: name it in the entry-point group
"lake.stages", and a YAML file can name it, too.
"""

from __future__ import annotations

import sys

from pydantic import Field

import lake
from lake.dataset import Sample
from lake.stage import SampleStage


class Ink(SampleStage, name="ink"):
    """Keep the samples whose picture is dark enough, and note how dark it is."""

    at_least: float = Field(80.0, ge=0, le=255, description="Mean value of the pixels, 0 to 255.")

    def __call__(self, sample: Sample) -> Sample | None:
        """The sample with a value `ink`, or None to leave it out."""
        ink = float(sample["image"]().mean())
        return sample.set("ink", round(ink, 2)) if ink >= self.at_least else None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/own_stage.py DATASET")
    stage = Ink(at_least=90)
    print(stage.to_yaml().strip())
    dark = lake.open(sys.argv[1])["train"][:300] | stage
    for sample in dark[:3]:
        print(sample.id, "label", sample["label"](), "ink", sample["ink"]())
    print(len(dark), "of 300 have enough")
