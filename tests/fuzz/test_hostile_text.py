"""Hostile text, in a process of its own: it may be refused, it may never crash a reader.

LAKE_FUZZ is the number of mutated texts (default 1,500), LAKE_FUZZ_SEED where they start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("text_worker.py")
# Read before the tests' own settings take the place of the person's.
SEED = os.environ.get("LAKE_FUZZ_SEED", "1")
COUNT = os.environ.get("LAKE_FUZZ", "1500")


@pytest.mark.slow
def test_P8_hostile_text_only_ever_raises_a_format_error() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(WORKER), SEED, COUNT],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "schemas")])},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["accepted"] > 0
    assert found["refused"] > found["accepted"]
