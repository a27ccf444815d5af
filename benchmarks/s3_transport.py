"""The store layer alone: client CPU of lake's S3 store beside obstore's bare loop.

usage: python -m benchmarks.s3_transport [OBJECTS [SIZE [THREADS]]]

Each turn puts and gets OBJECTS objects of SIZE bytes, hashed on both ways, on long-lived threads:
once with obstore's calls alone, once through lake's store with its retries and checks. Turns
alternate in one process; the figures are the medians. The servers are a real Ceph gateway, and
nginx, which costs a client the least.
"""

from __future__ import annotations

import contextlib
import hashlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import obstore
from obstore.store import S3Store

from benchmarks.bare_s3 import crew
from lake.store import BytesBody, Expect, blob_key
from lake.store.open import open_store
from lake.store.retry import Retry
from lake.store.store import Store
from lake.store.verify import read_verified
from tests.servers.ceph import radosgw
from tests.servers.nginx import nginx
from tests.servers.s3server import S3Server

TURNS = 5
SIDES = ("bare", "lake")
DEFAULTS = (5_000, 20_480, 8)
Work = Callable[[str], None]


def main() -> None:
    objects, size, threads = (int(text) for text in [*sys.argv[1:], *["5000", "20480", "8"]][:3])
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        real = stack.enter_context(radosgw(folder / "radosgw"))
        plain = stack.enter_context(nginx(folder / "nginx"))
        # nginx heeds no conditions, so there both sides write without.
        web = S3Server("nginx", plain.url)
        for server, conditional in ((real, True), (web, False)):
            bodies = _bodies(objects, size)
            _report(server.name, _compare(server, bodies, threads, conditional))


def _bodies(objects: int, size: int) -> dict[str, bytes]:
    block = bytearray(hashlib.shake_256(b"lake").digest(size))
    found = {}
    for number in range(objects):
        block[:8] = number.to_bytes(8, "big")
        found[f"{number:06d}"] = bytes(block)
    return found


def _compare(
    server: S3Server, bodies: dict[str, bytes], threads: int, conditional: bool
) -> dict[tuple[str, str], list[tuple[float, float]]]:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    names = list(bodies)
    for turn in range(TURNS):
        sides = [("bare", _bare), ("lake", _lake)]
        for side, make in sides if turn % 2 else reversed(sides):
            bucket = server.new_bucket() if conditional else f"turn-{turn}-{side}"
            put, get = make(server, bucket, bodies, conditional)
            put("000000")  # connections, and what is asked of a server once
            for verb, work in (("put", put), ("get", get)):
                cost = _cost(lambda work=work: crew(work, names[1:], threads), len(names) - 1)
                found.setdefault((verb, side), []).append(cost)
    return found


def _bare(
    server: S3Server, bucket: str, bodies: dict[str, bytes], conditional: bool
) -> tuple[Work, Work]:
    store = S3Store(
        bucket,
        endpoint=server.endpoint,
        region="us-east-1",
        access_key_id=server.access,
        secret_access_key=server.secret,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "600s"},
    )
    mode = "create" if conditional else "overwrite"
    digests: dict[str, str] = {}

    def put(name: str) -> None:
        digest = hashlib.sha256(bodies[name]).hexdigest()
        digests[name] = digest
        obstore.put(store, blob_key(digest), bodies[name], mode=mode, use_multipart=False)

    def get(name: str) -> None:
        data = obstore.get(store, blob_key(digests[name])).bytes()
        if hashlib.sha256(data).hexdigest() != digests[name]:
            raise SystemExit("not what it was")

    return put, get


def _lake(
    server: S3Server, bucket: str, bodies: dict[str, bytes], conditional: bool
) -> tuple[Work, Work]:
    store: Store = Retry(
        open_store(server.address(bucket), credentials=server.credentials(), driver="obstore")
    )
    expects: dict[str, Expect] = {}

    def put(name: str) -> None:
        body = BytesBody(bodies[name])
        expect = expects[name] = Expect(body.sha256, body.size)
        store.put(blob_key(expect.sha256), body, expect=expect, replace=not conditional)

    def get(name: str) -> None:
        expect = expects[name]
        read_verified(store, blob_key(expect.sha256), expect, source="main")

    return put, get


def _cost(run: Callable[[], None], objects: int) -> tuple[float, float]:
    """CPU seconds of this process, and wall seconds, an object."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    run()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu / objects, wall / objects


def _report(server: str, found: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    for verb in ("put", "get"):
        cpu = {side: statistics.median(cpu for cpu, _ in found[verb, side]) for side in SIDES}
        rate = {side: 1 / min(wall for _, wall in found[verb, side]) for side in SIDES}
        print(
            f"{server:8} {verb}: CPU an object: bare {cpu['bare'] * 1e6:4.0f} us, "
            f"lake {cpu['lake'] * 1e6:4.0f} us: ratio {cpu['lake'] / cpu['bare']:.2f} "
            f"({rate['bare']:,.0f} and {rate['lake']:,.0f} a second at best)",
            flush=True,
        )


if __name__ == "__main__":
    main()
