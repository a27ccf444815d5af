"""The least that a verified transfer to and from S3 costs in Python: obstore and sha256, no more.

usage: bare_s3.py put|get ENDPOINT BUCKET FOLDER [THREADS]
`put` reads, hashes and sends every file of FOLDER to sha256/ab/<digest>, and writes the names to
FOLDER/../names; `get` fetches those, hashes and compares them, and writes each to FOLDER.
Credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
"""

from __future__ import annotations

import hashlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from obstore.store import S3Store

LARGE = 8 << 20


def crew(work: Callable[[str], None], items: list[str], threads: int) -> None:
    """Long-lived threads that loop over one queue: the cheapest way that was measured."""
    todo: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    for item in items:
        todo.put(item)
    for _ in range(threads):
        todo.put(None)

    def loop() -> None:
        while (item := todo.get()) is not None:
            work(item)

    workers = [threading.Thread(target=loop) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def main() -> None:
    verb, endpoint, bucket, folder = sys.argv[1:5]
    threads = int(sys.argv[5]) if len(sys.argv) > 5 else 8
    out = Path(folder)
    names = out.parent / "names"
    store = S3Store(
        bucket,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "600s"},
    )

    def put(path: str) -> None:
        if os.path.getsize(path) < LARGE:  # noqa: PTH202
            with open(path, "rb") as file:
                body = file.read()
            digest = hashlib.sha256(body).hexdigest()
            store.put(f"sha256/{digest[:2]}/{digest}", body)
        else:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            store.put(f"sha256/{digest[:2]}/{digest}", Path(path))
        done.append(digest)

    def get(digest: str) -> None:
        hasher = hashlib.sha256()
        with open(out / digest, "wb") as file:
            for chunk in store.get(f"sha256/{digest[:2]}/{digest}").stream(1 << 20):
                hasher.update(chunk)
                file.write(chunk)
        if hasher.hexdigest() != digest:
            raise SystemExit("not what it was")

    done: list[str] = []
    if verb == "put":
        crew(put, [str(p) for p in out.rglob("*") if p.is_file()], threads)
        names.write_text("\n".join(done))
    else:
        out.mkdir(parents=True)
        crew(get, names.read_text().split(), threads)


if __name__ == "__main__":
    main()
