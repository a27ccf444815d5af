"""lake beside s5cmd, the AWS command line and a bare obstore loop, on a real S3 server (radosgw).

Client CPU is what counts: the server runs outside of what is measured. With --nginx the small
objects also go to nginx, a server that costs nothing, where only lake and the bare loop can play
(no listing, no multipart). "lake engine" is the transfer layer alone; "lake" is the whole of the
command line, with manifests, the ledger, and everything durable on disk.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import data
from benchmarks.harness import (
    Contender,
    Step,
    Target,
    chosen,
    compare,
    lake,
    lake_home,
    measure,
    options,
    report,
)
from benchmarks.peers import peer
from tests.servers.ceph import radosgw
from tests.servers.nginx import nginx
from tests.servers.processes import CannotStart
from tests.servers.s3server import ACCESS, SECRET, S3Server

HERE = Path(__file__).parent
PUT, GET = "put", "get"
AWS = {
    "AWS_ACCESS_KEY_ID": ACCESS,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def bucket(url: str, room: Path) -> tuple[str, Callable[[], object]]:
    """The name of a bucket for one turn, and what makes it: the gateway's POSIX driver lists
    wrongly once something was written after a listing. nginx makes folders by itself."""
    name = "b" + "".join(c for c in room.name.lower() if c.isalnum())
    aws = [peer("s3tools") / "aws", "--endpoint-url", url, "s3", "mb", f"s3://{name}"]
    is_nginx = room.parent.name == "nginx"
    return name, functools.partial(measure, ["true"] if is_nginx else aws, cwd=room, env=AWS)


def bare_steps(source: Path, url: str, room: Path) -> Iterator[Step]:
    script = [sys.executable, HERE / "bare_s3.py"]
    name, make = bucket(url, room)
    put, get = room / "put", room / "get"
    put.symlink_to(source)
    yield Step(PUT, [[*script, "put", url, name, put]], room, AWS, make)
    yield Step(GET, [[*script, "get", url, name, get]], room, AWS)


def engine_steps(source: Path, url: str, room: Path) -> Iterator[Step]:
    script = [sys.executable, HERE / "engine_s3.py"]
    name, make = bucket(url, room)
    remote = f"s3://{name}/blobs?endpoint={url}"
    env = {**AWS, **lake_home(room)}
    fresh = {**AWS, **lake_home(room, "fresh"), "AWS_ENDPOINT_URL": url}
    do = functools.partial(measure, cwd=room, env=env)

    def prepare() -> None:
        make()
        do(lake("init", "ds", "--from", source, "--layout", "packed"))

    yield Step(PUT, [[*script, "put", remote, "ds"]], room, env, prepare)
    # Text that says where the blobs are; the ledger knows them all, so nothing is sent again.
    offload = functools.partial(do, lake("remote-add", "ds", "out", "-r", remote))
    yield Step(GET, [[*script, "get", "out", room / "back"]], room, fresh, offload)


def lake_steps(source: Path, url: str, room: Path) -> Iterator[Step]:
    env = {**AWS, **lake_home(room)}
    # A second person, with an empty cache, whose environment names the endpoint.
    fresh = {**AWS, **lake_home(room, "fresh"), "AWS_ENDPOINT_URL": url}
    name, make = bucket(url, room)
    remote = f"s3://{name}/blobs?endpoint={url}"
    put = lake("init", "out", "--from", source, "-r", remote, "--layout", "packed")
    yield Step(PUT, [put], room, env, make)
    yield Step(GET, [lake("clone", "out", "back", "--mode", "copy")], room, fresh)


def s5cmd_steps(source: Path, url: str, room: Path) -> Iterator[Step]:
    name, make = bucket(url, room)
    s5cmd = [peer("s3tools") / "s5cmd", "--endpoint-url", url, "--log", "error"]
    there = f"s3://{name}/all/"
    yield Step(PUT, [[*s5cmd, "cp", f"{source}/", there]], room, AWS, make)
    yield Step(GET, [[*s5cmd, "cp", f"{there}*", f"{room}/get/"]], room, AWS)


def aws_steps(source: Path, url: str, room: Path) -> Iterator[Step]:
    name, make = bucket(url, room)
    aws = [peer("s3tools") / "aws", "--endpoint-url", url, "s3", "cp", "--recursive", "--quiet"]
    there = f"s3://{name}/all/"
    yield Step(PUT, [[*aws, source, there]], room, AWS, make)
    yield Step(GET, [[*aws, there, room / "get"]], room, AWS)


STEPS = {
    "lake": lake_steps,
    "lake engine": engine_steps,
    "bare": bare_steps,
    "s5cmd": s5cmd_steps,
    "aws": aws_steps,
}
OURS = [(who, step) for who in ("lake", "lake engine") for step in (PUT, GET)]
MEMORY = [Target(ours, None, 256, "rss") for ours in OURS]
TARGETS = {
    "small": [
        *(Target(("lake engine", step), ("bare", step), 1.5) for step in (PUT, GET)),
        *(
            Target((who, step), (other, step), 1)
            for who, step in OURS
            for other in ("s5cmd", "aws")
        ),
        *MEMORY,
    ],
    "large": [
        *(Target((who, step), ("s5cmd", step), 1.2, "wall") for who, step in OURS),
        *MEMORY,
    ],
}


def main() -> int:
    parser = options(__doc__ or "")
    parser.add_argument("--sizes", nargs="*", default=["small", "large"], choices=list(TARGETS))
    parser.add_argument("--nginx", action="store_true", help="small objects to nginx as well")
    args = parser.parse_args()
    good = True
    with contextlib.ExitStack() as stack:
        room = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room))
        )
        starts = {"radosgw": radosgw, **({"nginx": nginx} if args.nginx else {})}
        for server, start in starts.items():
            try:
                running = stack.enter_context(start(room / f"{server}-files"))
            except CannotStart as error:
                print(f"{server} left out: {error}", file=sys.stderr)
                continue
            url = running.endpoint if isinstance(running, S3Server) else running.url
            for size in args.sizes if server == "radosgw" else ["small"]:
                count, each = (5000, 20 << 10) if size == "small" else (20, 64 << 20)
                count = max(2, int(count * args.scale))
                # Names without a dot: radosgw's POSIX driver fails multipart uploads of others.
                source = data.files(room / size, count, each, suffix="")
                who = STEPS if server == "radosgw" else ["lake", "lake engine", "bare"]
                contenders = [
                    Contender(name, functools.partial(STEPS[name], source, url)) for name in who
                ]
                turns = room / server
                turns.mkdir(exist_ok=True)
                costs = compare(chosen(contenders, args.only), rounds=args.rounds, room=turns)
                title = f"S3 ({server}): {count:,} objects of {each >> 10:,} KiB"
                good &= report(title, costs, TARGETS[size], args.json)
                if server == "radosgw" and size == "large":
                    shutil.rmtree(source)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
