"""S3 when things go wrong: on the wire, with keys, clocks, buckets and answers."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lake.errors import AccessDenied, IntegrityError, LakeError, NotFound, RemoteError
from lake.secrets import SecretStr
from lake.store.body import BytesBody, StreamBody
from lake.store.credentials import Anonymous, Fixed, S3Credentials
from lake.store.layout import blob_key
from lake.store.open import open_store
from lake.store.retry import Retry
from lake.store.s3_options import store_options
from lake.store.store import Expect, Store
from lake.store.verify import Verify, read_verified
from lake.testing.strategies import some_bytes
from lake.testing.suite import expect_of
from tests.servers.faulty import Faulty, faulty, ignores_ranges
from tests.servers.s3server import S3Server
from tests.servers.tls import TlsServer

pytestmark = pytest.mark.server
Remote = tuple[Faulty, Store, Any]


def keys(access: str, secret: str) -> Fixed:
    return Fixed("a test's", S3Credentials(access, SecretStr(secret)))


def quickly(store: Store) -> Retry:
    return Retry(store, sleep=lambda _: None)


@pytest.fixture
def remote(faulty_radosgw: tuple[Faulty, S3Server]) -> Iterator[Remote]:
    """A proxy that does wrong, the store behind it, and `truth(key)`: the bytes, or None."""
    proxy, server = faulty_radosgw
    bucket = server.new_bucket()
    store = open_store(server.address(bucket), credentials=server.credentials(), driver="obstore")
    store.put("first", BytesBody(b"learns what the server heeds"))

    def truth(key: str) -> bytes | None:
        plan, proxy.plan = proxy.plan, ()
        with contextlib.closing(server.client()) as client:
            try:
                data: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            except client.exceptions.NoSuchKey:
                return None
            finally:
                proxy.plan = plan
        return data

    yield proxy, store, truth
    store.close()


@pytest.mark.parametrize("action", ["reset", "drop", "lost", 500, 503, 429, 408])
def test_what_passes_is_transient(remote: Remote, action: Any) -> None:
    proxy, store, _ = remote
    calls: list[Callable[[], object]] = [
        lambda: store.put("k", BytesBody(b"bytes")),
        lambda: store.get("first").read(),
        lambda: store.stat("first"),
        lambda: list(store.list()),
        lambda: store.delete(["other"]),
    ]
    for call in calls:
        proxy.plan = [action]
        with pytest.raises(RemoteError) as caught:
            call()
        assert caught.value.transient
        assert caught.value.__context__ is None


@pytest.mark.parametrize("action", ["reset", "drop", "lost", 500, 503, 429])
def test_retrying_survives_it(remote: Remote, action: Any) -> None:
    proxy, store, truth = remote
    steady, data = quickly(store), some_bytes(30_000)
    proxy.plan = [action] * 3
    steady.put("k", BytesBody(data), expect=expect_of(data))
    assert truth("k") == data
    proxy.plan = [action] * 3
    assert steady.get("k").read() == data
    proxy.plan = [action] * 3
    assert steady.stat("k").size == len(data)


def test_a_lost_reply_is_success_once_the_size_agrees(remote: Remote) -> None:
    proxy, store, truth = remote
    data = some_bytes(5000)
    proxy.plan = ["lost"]
    result = quickly(store).put("k", BytesBody(data), expect=expect_of(data))
    assert (result.created, result.size) == (False, 5000)
    assert truth("k") == data
    methods = [(method, action) for method, path, action in proxy.log if path.endswith("/k")]
    assert methods[:3] == [("PUT", "lost"), ("PUT", "pass"), ("HEAD", "pass")]


def test_an_answer_without_etag_is_success_once_the_size_agrees(remote: Remote) -> None:
    """Swift gives such answers where two put the same object at once."""
    proxy, store, truth = remote
    proxy.plan = ["untagged"]
    assert store.put("k", BytesBody(b"bytes"), expect=expect_of(b"bytes")).created
    assert truth("k") == b"bytes"
    proxy.plan = ["untagged"] * 9
    assert store.get("k").read() == b"bytes"
    assert store.stat("k").size == 5


def test_P1_a_lost_reply_in_the_middle_of_an_upload(remote: Remote) -> None:
    proxy, store, truth = remote
    data = some_bytes(20 << 20)
    for lost in range(6):
        proxy.plan = ["pass"] * lost + ["lost"]
        key = f"big/{lost}"
        quickly(store).put(key, BytesBody(data), expect=expect_of(data))
        assert truth(key) == data


def test_a_truncated_body_is_resumed(remote: Remote) -> None:
    proxy, store, _ = remote
    data = some_bytes(3 << 20)
    store.put("k", BytesBody(data))
    proxy.plan = ["truncate"] * 3
    proxy.log.clear()
    assert quickly(store).get("k").read() == data
    assert [action for _, _, action in proxy.log] == ["truncate", "truncate", "truncate", "pass"]
    proxy.plan = ["truncate"]
    with pytest.raises(RemoteError) as caught:
        store.get("k").read()
    assert caught.value.transient


def test_P4_a_flipped_body_is_caught(remote: Remote) -> None:
    proxy, store, _ = remote
    data = some_bytes(3 << 20)
    key = blob_key(hashlib.sha256(data).hexdigest())
    store.put(key, BytesBody(data))
    proxy.plan = ["flip"]
    assert store.get(key).read() != data, "no layer below notices, so lake must"
    proxy.plan = ["flip"]
    taken = []
    with pytest.raises(IntegrityError):
        taken.extend(Verify(store).get(key))
    assert sum(map(len, taken)) < len(data)
    proxy.plan = ["flip", "flip"]
    assert read_verified(store, key, expect_of(data), source="main") == data
    proxy.plan = ["flip"] * 3
    with pytest.raises(IntegrityError, match="main"):
        read_verified(store, key, expect_of(data), source="main")


def test_P1_the_body_is_covered_by_tls_or_by_the_signature() -> None:
    for endpoint, unsigned in (("http://h", False), ("https://h", True)):
        options = store_options(S3Server("any", endpoint).address("bucket"), signed=True)
        assert options["unsigned_payload"] is unsigned


def test_a_server_without_ranges_is_read_through(moto: S3Server) -> None:
    data, bucket = some_bytes(2 << 20), moto.new_bucket()
    with faulty(moto.endpoint) as proxy:
        server = S3Server("rangeless", proxy.url)
        store = open_store(
            server.address(bucket), credentials=server.credentials(), driver="obstore"
        )
        store.put("k", BytesBody(data))
        proxy.plan = ignores_ranges
        for start, stop in ((5, 9), (1 << 20, None), (0, 3), (5 << 20, None), (7, 7), (9, 5 << 20)):
            with store.get("k", start=start, stop=stop) as stream:
                assert stream.size == len(data[start:stop])
                assert stream.read() == data[start:stop]


def test_clocks_that_differ_are_named(remote: Remote) -> None:
    proxy, store, _ = remote
    proxy.plan = ["skewed"]
    with pytest.raises(AccessDenied, match="clock") as caught:
        store.put("k", BytesBody(b"x"))
    assert not caught.value.transient


def test_a_server_that_sends_elsewhere(remote: Remote) -> None:
    proxy, store, _ = remote
    proxy.plan = [("redirect", "http://127.0.0.1:9/there")]
    with pytest.raises(RemoteError, match="elsewhere"):
        store.put("k", BytesBody(b"x"))


def test_one_body_streams_from_a_store_like_this_one(remote: Remote) -> None:
    """obstore cannot be called from inside of obstore; lake's bodies can."""
    _, store, truth = remote
    data = some_bytes(20 << 20)
    expect = expect_of(data)
    store.put("from", BytesBody(data))
    body = StreamBody(len(data), lambda: store.get("from"))
    assert store.put("to", body, expect=expect).created
    assert truth("to") == data
    small = StreamBody(5, lambda: store.get("from", stop=5))
    store.put("small", small)
    assert truth("small") == data[:5]


def test_a_body_that_dies_with_any_error_passes_it_on(remote: Remote) -> None:
    _, store, truth = remote

    def broken() -> Iterator[bytes]:
        yield bytes(10 << 20)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put("k", StreamBody(20 << 20, broken))
    assert truth("k") is None


def test_wrong_keys_are_access_denied(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    wrong_secret = keys(radosgw.access, "canary-wrong-secret")
    for source in (wrong_secret, keys("AKNOBODY", "canary-wrong-secret"), Anonymous()):
        store = open_store(radosgw.address(bucket), credentials=source, driver="obstore")
        calls: list[Callable[[], object]] = [
            lambda store=store: store.put("k", BytesBody(b"x")),
            lambda store=store: store.get("k"),
            lambda store=store: store.stat("k"),
            lambda store=store: list(store.list()),
            lambda store=store: store.delete(["k"]),
        ]
        for call in calls:
            with pytest.raises(AccessDenied) as caught:
                call()
            shown = f"{caught.value} {caught.value!r} {caught.value.__context__!r}"
            assert "canary" not in shown
            assert "Signature=" not in shown
            assert not caught.value.transient


def test_a_missing_bucket_is_named(radosgw: S3Server, moto: S3Server) -> None:
    for server in (radosgw, moto):
        address = server.address("no-such-bucket-here")
        store = open_store(address, credentials=server.credentials(), driver="obstore")
        calls: list[Callable[[], object]] = [
            lambda store=store: store.put("k", BytesBody(b"x")),
            lambda store=store: store.put("k", BytesBody(b"x"), replace=True),
            lambda store=store: store.put("k", StreamBody(9 << 20, lambda: iter([bytes(9 << 20)]))),
            lambda store=store: store.get("k"),
            lambda store=store: list(store.list()),
        ]
        for call in calls:
            with pytest.raises(RemoteError, match="no such bucket") as caught:
                call()
            assert caught.value.hint
        with pytest.raises((RemoteError, NotFound)):
            store.stat("k")


@pytest.mark.parametrize(
    ("endpoint", "transient", "says"),
    [
        ("http://127.0.0.1:9", True, "no connection"),
        ("http://no-such-host.invalid", False, "name is not known"),
    ],
)
def test_nobody_there(endpoint: str, transient: bool, says: str) -> None:
    server = S3Server("none", endpoint)
    store = open_store(server.address("bucket"), credentials=server.credentials(), driver="obstore")
    with pytest.raises(RemoteError, match=says) as caught:
        store.get("k")
    assert caught.value.transient is transient


def test_tls_where_there_is_none(radosgw: S3Server) -> None:
    server = S3Server("tls", radosgw.endpoint.replace("http:", "https:"))
    store = open_store(server.address("bucket"), credentials=server.credentials(), driver="obstore")
    with pytest.raises(RemoteError, match="TLS"):
        store.get("k")


def test_a_certificate_that_nobody_vouches_for(
    tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = S3Server("tls", tls_server.url)
    (tls_server.data / "bucket").mkdir()
    (tls_server.data / "bucket/k").write_bytes(b"over TLS")
    store = open_store(server.address("bucket"), credentials=server.credentials(), driver="obstore")
    with pytest.raises(RemoteError, match="certificate is not trusted") as caught:
        store.get("k")
    assert not caught.value.transient
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls_server.authority))
    store = open_store(server.address("bucket"), credentials=server.credentials(), driver="obstore")
    assert store.get("k").read() == b"over TLS"


def test_keys_that_cannot_be_renewed(radosgw: S3Server) -> None:
    class Broken:
        name = "broken"
        asked = 0

        def get(self) -> S3Credentials:
            self.asked += 1
            if self.asked == 1:
                return radosgw.credentials().get()
            raise AccessDenied("the session ended", hint="log in again")

    store = open_store(
        radosgw.address(radosgw.new_bucket()), credentials=Broken(), driver="obstore"
    )
    with pytest.raises(AccessDenied, match="log in again"):
        store.put("k", BytesBody(b"x"))


def test_keys_are_asked_for_again_before_they_expire(radosgw: S3Server) -> None:
    from datetime import UTC, datetime, timedelta

    class Expiring:
        name = "expiring"
        asked = 0

        def get(self) -> S3Credentials:
            self.asked += 1
            soon = datetime.now(UTC) + timedelta(seconds=1)
            return S3Credentials(radosgw.access, SecretStr(radosgw.secret), expires_at=soon)

    source = Expiring()
    store = open_store(radosgw.address(radosgw.new_bucket()), credentials=source, driver="obstore")
    store.put("k", BytesBody(b"x"))
    before = source.asked
    for _ in range(3):
        time.sleep(0.2)  # obstore asks at most ten times a second
        assert store.get("k").read() == b"x"
    assert source.asked >= before + 3


def test_P9_no_variable_leads_keys_elsewhere(
    radosgw: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_SESSION_TOKEN": "canary-token",
        "AWS_UNSIGNED_PAYLOAD": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_S3_EXPRESS": "true",
        "AWS_REQUEST_PAYER": "true",
        "AWS_CONDITIONAL_PUT": "disabled",
        "AWS_BUCKET": "other",
    }.items():
        monkeypatch.setenv(name, value)
    store = open_store(
        radosgw.address(radosgw.new_bucket()), credentials=radosgw.credentials(), driver="obstore"
    )
    store.put("k", BytesBody(b"x"))
    assert store.get("k").read() == b"x"


@pytest.mark.parametrize("driver", ["obstore", "minio", "boto3"])
def test_keys_of_other_tools(moto: S3Server, driver: str) -> None:
    """What marks an empty directory is no object; a key that cannot be named is not passed over."""
    bucket = moto.new_bucket()
    store = open_store(moto.address(bucket, "p"), credentials=moto.credentials(), driver=driver)
    with contextlib.closing(moto.client()) as client:
        for key in ("p/", "p/a/", "p/a/b", "p/dir/", "p/empty", "p/z"):
            client.put_object(Bucket=bucket, Key=key, Body=b"")
        assert [info.key for info in store.list()] == ["a/b", "empty", "z"]
        client.put_object(Bucket=bucket, Key="p/q//r", Body=b"")
        with pytest.raises(RemoteError, match="cannot name"):
            list(store.list())
        assert [info.key for info in store.list("a/")] == ["a/b"]


def test_unexpected_size_of_a_body_never_leaves(remote: Remote) -> None:
    proxy, store, truth = remote
    proxy.log.clear()
    with pytest.raises(IntegrityError):
        store.put("k", BytesBody(b"four"), expect=Expect("0" * 64, 5))
    assert not proxy.log
    assert isinstance(truth("k"), type(None))


def test_errors_are_lakes_own(remote: Remote) -> None:
    proxy, store, _ = remote
    for action in (400, 401, 403, 404, 405, 409, 411, 416, 418, 501):
        proxy.plan = [action]
        with pytest.raises(LakeError):
            list(store.list())
