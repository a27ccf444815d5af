"""Reading 5,000 samples of 18.7 KB in shuffled batches: CPU a sample, verification included.

"folder": the remote is a folder, read in place and hashed each time. "http" and "s3": nginx and
Ceph's gateway on loopback; the first pass fetches into the cache, later ones read from there.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import data
from benchmarks.harness import environment, lake, lake_home, measure, options
from tests.servers.ceph import radosgw
from tests.servers.nginx import WebServer, nginx
from tests.servers.processes import CannotStart
from tests.servers.s3server import S3Server

SIZE = 18_700
WARM_US, COLD_US = 60, 250


def loop(who: str, path: Path, passes: int, env: dict[str, str]) -> list[dict[str, float]]:
    script = Path(__file__).with_name("loop.py")
    argv = [sys.executable, str(script), who, str(path), str(passes)]
    done = subprocess.run(
        argv, env={**environment(), **env}, capture_output=True, text=True, cwd=path.parent
    )
    if done.returncode:
        raise SystemExit(f"{who}: {done.stderr[-2000:]}")
    found: list[dict[str, float]] = json.loads(done.stdout)
    return found


def remote_run(
    kind: str, server: WebServer | S3Server, room: Path, env: dict[str, str]
) -> Callable[[], list[dict[str, float]]]:
    """Put the blobs on a server; a run that reads them from there with an empty cache."""
    dataset = room / kind
    if isinstance(server, S3Server):
        env = {**env, **server.environment()}
        url = f"s3://{server.new_bucket()}/blobs?endpoint={server.endpoint}"
        measure(lake("remote-add", "raw", kind, "-r", url), cwd=room, env=env)
    else:
        shutil.copytree(room / "store", server.data / "store")
        shutil.copytree(room / "folder", dataset)
        text = (dataset / "dataset.yaml").read_text()
        text = re.sub(r"(?m)^( +\w+: ).*store$", rf"\1{server.url}/store", text)
        (dataset / "dataset.yaml").write_text(text)

    def run() -> list[dict[str, float]]:
        shutil.rmtree(room / "home" / "cache", ignore_errors=True)
        return loop("lake", dataset, 3, env)

    return run


def main() -> int:
    args = options(__doc__ or "").parse_args()
    found: dict[str, list[list[dict[str, float]]]] = {}
    with contextlib.ExitStack() as stack:
        room = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room))
        )
        count = max(64, int(5000 * args.scale))
        source = data.files(room / "jpegs", count, SIZE, suffix=".jpg")
        env = lake_home(room)
        run = functools.partial(measure, cwd=room, env=env)
        run(lake("init", "raw", "--from", source, "--layout", "packed"))
        run(lake("remote-add", "raw", "folder", "-r", room / "store"))
        runs: dict[str, Callable[[], list[dict[str, float]]]] = {
            "files, nothing checked": lambda: loop("files", source, 2, env),
            "files, hashed": lambda: loop("hashed", source, 2, env),
            "lake, folder remote": lambda: loop("lake", room / "folder", 2, env),
        }
        # Each with an empty cache: the first pass fetches, the others read what was kept.
        for kind, start in {"http": nginx, "s3": radosgw}.items():
            with contextlib.suppress(CannotStart):
                server = stack.enter_context(start(room / f"{kind}-server"))
                runs[f"lake, {kind} remote"] = remote_run(kind, server, room, env)
        for _ in range(args.rounds):
            for name, one in runs.items():
                found.setdefault(name, []).append(one())
    print(f"\n## Loader, {count:,} x {SIZE:,} bytes\n")
    print("| who | first pass, CPU us a sample (samples/s) | later pass |")
    print("| --- | --- | --- |")
    good = True
    for name, rounds in found.items():
        cells = []
        for number in (0, -1):
            cpu = statistics.median(r[number]["cpu_us"] for r in rounds)
            rate = statistics.median(r[number]["rate"] for r in rounds)
            cells.append(f"{cpu:.0f} ({rate:,.0f})")
            if name.startswith("lake"):
                good &= cpu <= (COLD_US if number == 0 else WARM_US)
        print(f"| {name} | {cells[0]} | {cells[1]} |")
    print(
        f"\ntargets: first pass <= {COLD_US}, later <= {WARM_US}: {'reached' if good else 'MISSED'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
