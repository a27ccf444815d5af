"""The S3 store on obstore: Amazon's, MinIO, Ceph and their like; the default driver.

Calls block, and while they do, Ctrl-C is not heard: call from worker threads and let the main
thread wait in Python. After a fork, a child whose parent has used obstore would hang in it; there
the store goes on through minio-py or boto3 by itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lake.errors import NotFound, Unsupported
from lake.store.pump import Pump
from lake.store.s3_answers import is_occupied, is_unconditional
from lake.store.s3_failures import (
    BeyondEnd,
    NotPartial,
    failure,
    is_unnamed,
    status_and_code,
)
from lake.store.s3_options import Provider, store_options
from lake.store.store import CHUNK, StoreProperties
from lake.store.stream import cut
from lake.store.wire import PART, Answer, Occupied, Unconditional, Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

PARTS_AT_ONCE = 3
"""Parts of one upload that are on their way at a time; one more is being filled."""
CONCURRENCY = 64
"""At 20 ms to the server, 64 threads put 2,800 objects a second and 8 put 380."""

_user_pid: int | None = None


def used_in_other_process() -> bool:
    """Whether this process was forked from one that had used obstore, so that it must not."""
    return _user_pid is not None and _user_pid != os.getpid()


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> WireStore:
    """The store at an S3 address; `credentials` None reads without signing."""
    local = urlsplit(address.options.get("endpoint", "")).hostname in ("localhost", "127.0.0.1")
    properties = StoreProperties(scheme="s3", concurrency=8 if local else CONCURRENCY)
    return ObstoreStore(address, credentials, properties)


class ObstoreStore(WireStore):
    """The store over obstore's calls; in a forked child, over those of another driver."""

    def __init__(
        self,
        address: RemoteAddress,
        credentials: CredentialSource | None,
        properties: StoreProperties,
    ) -> None:
        super().__init__(address, ObstoreWire(address, credentials), properties)
        self._address = address
        self._credentials = credentials
        self._other: Wire | None = None

    @property
    def _wire(self) -> Wire:
        if not used_in_other_process():
            return self._first
        if self._other is None:
            self._other = _other_driver(self._address, self._credentials)
        return self._other

    @_wire.setter
    def _wire(self, wire: Wire) -> None:
        self._first = wire


class ObstoreWire(Wire):
    """obstore's calls, in the process that first made one."""

    joins = True

    def __init__(self, address: RemoteAddress, credentials: CredentialSource | None) -> None:
        self._address = address
        self._provider = Provider(credentials) if credentials is not None else None
        self._made: Any = None
        self._making = threading.Lock()

    @property
    def _store(self) -> Any:
        return self._made or self._make()

    def _make(self) -> Any:
        global _user_pid
        from obstore.store import S3Store

        with self._making:
            if self._made is None:
                _user_pid = os.getpid()
                signed = self._provider is not None and self._provider.signs()
                self._made = S3Store(
                    self._address.bucket,
                    credential_provider=self._provider if signed else None,
                    **store_options(self._address, signed=signed),
                )
        return self._made

    def put(self, key: str, data: bytes, *, absent: bool) -> None:
        import obstore

        mode: Literal["create", "overwrite"] = "create" if absent else "overwrite"
        try:
            obstore.put(self._store, key, data, mode=mode, use_multipart=False)
            return
        except Exception as error:
            found = self._translated(error, key, absent=absent)
            unnamed = is_unnamed(error)
        if unnamed and self.stat(key)[0] == len(data):
            return  # taken, though the answer names no version: Swift's, where two put at once
        raise found  # out here, so that obstore's own exception is not even its context

    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        import obstore

        if absent and self._there(key):
            # obstore completes no upload conditionally. Two who begin at once both go through,
            # which is right where the key is the content's address, as racers bring the same.
            raise Occupied
        store = self._store
        # obstore's loop runs Python iterators inside itself, where a body that reads from obstore
        # in turn cannot work: so parts are drawn here, and handed over.
        pump = Pump(parts)
        try:
            pump.run(
                lambda drawn: obstore.put(
                    store,
                    key,
                    drawn,
                    use_multipart=True,
                    chunk_size=max(PART, -(-size // 9_000)),
                    max_concurrency=PARTS_AT_ONCE,
                )
            )
            return
        except Exception as error:
            found = self._translated(error, key)
        raise found

    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        import obstore

        options: Any = None
        if stop is not None:
            options = {"range": (start, stop)}
        elif start:
            options = {"range": {"offset": start}}
        try:
            result = obstore.get(self._store, key, options=options)
            first, end = result.range
            return Answer(end - first, self._chunks(result, end - first, key), _nothing)
        except Exception as error:
            found = self._translated(error, key, ranged=options is not None)
        if isinstance(found, BeyondEnd):
            return None
        if isinstance(found, NotPartial):
            return self._cut_out(key, start, stop)
        raise found

    def _cut_out(self, key: str, start: int, stop: int | None) -> Answer | None:
        """A range from a server that knows none: read from the beginning."""
        whole = self.get(key, 0, None)
        if whole is None or start >= whole.size:
            return None
        end = whole.size if stop is None else min(stop, whole.size)
        return Answer(end - start, cut(whole.chunks, start, end), whole.close)

    def _chunks(self, result: Any, size: int, key: str) -> Iterator[bytes]:
        try:
            if size <= CHUNK:
                yield result.bytes().to_bytes()
            else:
                yield from result.stream(CHUNK)
            return
        except Exception as error:
            found = self._translated(error, key)
        raise found

    def stat(self, key: str) -> tuple[int, float | None]:
        import obstore

        try:
            meta = obstore.head(self._store, key)
            return meta["size"], _seconds(meta)
        except Exception as error:
            found = self._translated(error, key)
        raise found

    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        import obstore

        # obstore takes whole directories only; the rest of the prefix is seen to here.
        directory = prefix.rpartition("/")[0]
        try:
            pages = obstore.list(
                self._store,
                f"{directory}/" if directory else None,
                offset=_before(prefix, after) or None,
                chunk_size=1000,
            )
            for page in pages:
                for meta in page:
                    key = meta["path"]
                    if key.startswith(prefix) and key.encode() > after.encode():
                        # obstore calls "a/", left for an empty directory, "a".
                        if meta["size"] == 0 and not self._there(key):
                            continue
                        yield key, meta["size"], _seconds(meta)
                    elif not key.startswith(prefix) and key.encode() > prefix.encode():
                        return
            return
        except Exception as error:
            found = self._translated(error, prefix)
        raise found

    def delete(self, keys: Sequence[str]) -> None:
        import obstore

        try:
            obstore.delete(self._store, list(keys))
            return
        except Exception as error:
            found = self._translated(error, keys[0])
        if not isinstance(found, NotFound):
            raise found

    def share_url(self, key: str, expires: float) -> str:
        import obstore

        if self._provider is None or not self._provider.signs():
            raise Unsupported("without credentials there are no shareable URLs")
        try:
            lasting = timedelta(seconds=max(1, round(expires)))
            return obstore.sign(self._store, "GET", key, lasting)
        except Exception as error:
            found = self._translated(error, key)
        raise found

    def close(self) -> None:
        self._made = None

    def _there(self, key: str) -> bool:
        try:
            self.stat(key)
        except NotFound:
            return False
        return True

    def _translated(
        self, error: Exception, key: str, *, absent: bool = False, ranged: bool = False
    ) -> Exception:
        """What to raise instead; an error that is not obstore's (but a body's) stays as it is."""
        import obstore.exceptions

        if not isinstance(error, obstore.exceptions.BaseError | FileNotFoundError):
            return error
        if absent:
            if isinstance(error, obstore.exceptions.AlreadyExistsError):
                return Occupied()
            status, code = status_and_code(error)
            if is_occupied(status, code):
                return Occupied()
            if is_unconditional(status, code):
                return Unconditional()
        cause = self._provider.failed if self._provider is not None else None
        return failure(error, url=self._address.url, key=key, cause=cause, ranged=ranged)


def _before(prefix: str, after: str) -> str:
    """A key that sorts before all wanted ones, and after as many others as can be."""
    last = prefix[-1:]
    if not "!" <= last <= "~" or last == "/":
        return after
    return max(after, f"{prefix[:-1]}{chr(ord(last) - 1)}~")


def _seconds(meta: Any) -> float | None:
    modified = meta["last_modified"]
    return modified.timestamp() if modified is not None else None


def _nothing() -> None:
    """obstore lets go of a connection by itself."""


def _other_driver(address: RemoteAddress, credentials: CredentialSource | None) -> Wire:
    try:
        from lake.store.s3_minio import MinioWire

        return MinioWire(address, credentials)
    except ImportError:
        pass
    try:
        from lake.store.s3_boto3 import Boto3Wire

        return Boto3Wire(address, credentials)
    except ImportError:
        raise Unsupported(
            "a forked process cannot use S3 with the default driver alone",
            where=address.url,
            hint="pip install lake-datasets[s3], or start workers with spawn instead of fork",
        ) from None
