"""Opening a dataset of 100,000 samples, packed and as files, for the first time and again.

What is timed is `lake.open`, `len`, one sample from the middle and one partition, in a fresh
process that has imported lake already.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import environment, lake, lake_home, measure, options

CODE = """
import json, sys, time
import lake
began, cpu = time.perf_counter(), time.process_time()
dataset = lake.open(sys.argv[1])
count = len(dataset)
first = time.perf_counter() - began
dataset[count // 2]["label"]()
len(dataset["train"])
print(json.dumps([first, time.perf_counter() - began, time.process_time() - cpu]))
"""
LIMITS = {
    ("packed", "first"): 1,
    ("packed", "again"): 1,
    ("files", "first"): 8,
    ("files", "again"): 1,
}


def make(folder: Path, count: int) -> None:
    """A dataset of `count` manifests in the files layout; its blobs are nowhere."""
    from lake_schemas.blob import BlobRef
    from lake_schemas.sample import SampleManifest
    from lake_schemas.text import dump_sample

    folder.mkdir()
    (folder / "dataset.yaml").write_text(
        f"lake: 1\nname: {folder.name}\nremotes:\n  main: ../store\n"
    )
    for number in range(count):
        path = folder / "samples" / ("train" if number % 10 else "test") / f"{number:06d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(b"%d" % number).hexdigest()
        ref = BlobRef(sha256=digest, size=20_480, type="image/jpeg").with_location("main")
        manifest = SampleManifest(items={"image": ref}, values={"label": number % 10})
        path.write_bytes(dump_sample(manifest))


def main() -> int:
    args = options(__doc__ or "").parse_args()
    rows: dict[tuple[str, str], list[list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room) as name:
        room = Path(name)
        count = max(100, int(100_000 * args.scale))
        make(room / "files", count)
        env = lake_home(room)
        measure(lake("clone", "files", "packed", "--layout", "packed"), cwd=room, env=env)
        for number in range(args.rounds):
            home = lake_home(room, f"home-{number}")
            for layout in ("packed", "files"):
                for when in ("first", "again"):
                    done = subprocess.run(
                        [sys.executable, "-c", CODE, str(room / layout)],
                        env={**environment(), **home}, capture_output=True, text=True, check=True,
                    )  # fmt: skip
                    rows.setdefault((layout, when), []).append(json.loads(done.stdout))
    print(f"\n## Opening {count:,} samples\n")
    print("| layout | when | open + len, s | + one sample + one partition, s | CPU s |")
    print("| --- | --- | --- | --- | --- |")
    good = True
    for (layout, when), costs in rows.items():
        cells = [statistics.median(c[n] for c in costs) for n in range(3)]
        good &= cells[1] <= LIMITS[layout, when]
        print(f"| {layout} | {when} | {cells[0]:.2f} | {cells[1]:.2f} | {cells[2]:.2f} |")
    print(f"\ntargets (packed 1 s; files 8 s first, 1 s again): {'reached' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
