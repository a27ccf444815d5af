"""Runs all benchmarks one after the other: `python -m benchmarks [--small] [--json FILE]`."""

from __future__ import annotations

import argparse
import subprocess
import sys

ALL = {
    "bench_startup": ["--rounds", "3"],
    "bench_dvc": ["--rounds", "2", "--scale", "0.2"],
    "bench_pipelime": ["--rounds", "1", "--scale", "0.1"],
    "bench_memory": ["--counts", "1000", "5000"],
    "bench_loader": ["--rounds", "2", "--scale", "0.2"],
    "bench_open": ["--rounds", "1", "--scale", "0.1"],
    "bench_s3": ["--rounds", "1", "--scale", "0.1"],
}
"""Each with the options that make it small."""


def main() -> int:
    """Run all; returns 1 if a target was missed or a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few minutes instead of an hour")
    args, rest = parser.parse_known_args()
    missed = []
    for name, small in ALL.items():
        words = [sys.executable, "-m", f"benchmarks.{name}", *(small if args.small else []), *rest]
        if subprocess.run(words).returncode:
            missed.append(name)
    print(f"\nmissed or failed: {', '.join(missed)}" if missed else "\nall targets reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
