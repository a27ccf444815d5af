"""A process that used S3 forks, and its children go on: as torch's DataLoader does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.s3server import S3Server

pytestmark = pytest.mark.server

SCRIPT = """
import os, sys, warnings
from lake.secrets import SecretStr
from lake.store import BytesBody, StreamBody, open_store
from lake.store.credentials import Fixed, S3Credentials
from lake.store.s3 import used_in_other_process
from lake_schemas.remote import RemoteAddress

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of fork with threads
endpoint, bucket, secret, used_before = sys.argv[1:]
keys = Fixed("x", S3Credentials("AKLAKETESTS", SecretStr(secret)))
address = RemoteAddress("s3", bucket, "p", {"endpoint": endpoint})
store = open_store(address, credentials=keys)
assert type(store).__name__ == "ObstoreStore"
if used_before == "used":
    assert store.put("parent", BytesBody(b"parent")).created
    assert store.get("parent").read() == b"parent"

def child():
    assert used_in_other_process() is (used_before == "used")
    fresh = open_store(address, credentials=keys)
    assert type(fresh).__name__ == ("WireStore" if used_before == "used" else "ObstoreStore")
    big = bytes(9 << 20)
    for number, mine in enumerate((store, fresh)):
        key = f"child/{os.getpid()}/{number}"
        assert mine.put(key, BytesBody(b"child")).created
        assert not mine.put(key, BytesBody(b"other")).created
        assert mine.get(key, start=1).read() == b"hild"
        assert mine.put(key + "b", StreamBody(len(big), lambda: iter([big]))).created
        assert mine.stat(key + "b").size == len(big)
    grandchild = os.fork()
    if grandchild == 0:
        assert store.get(key).read() == b"child"
        os._exit(0)
    assert os.waitpid(grandchild, 0)[1] == 0

for _ in range(2):
    pid = os.fork()
    if pid == 0:
        try:
            child()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, "the child failed"
assert not used_in_other_process()
assert store.put("after", BytesBody(b"after")).created
print("fine")
"""


@pytest.mark.parametrize("used_before", ["used", "unused"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_children_of_a_process_that_used_s3(radosgw: S3Server, used_before: str) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [
            sys.executable, "-c", SCRIPT, radosgw.endpoint, radosgw.new_bucket(), radosgw.secret,
            used_before,
        ],
        env={**os.environ, "PYTHONPATH": f"{root}:{root}/schemas"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout == "fine\n", done.stderr
