"""Google Cloud Storage, on google-cloud-storage."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lake.config.endpoint import GOOGLE
from lake.errors import AccessDenied, ConfigError, LakeError, NotFound, RemoteError, Unsupported
from lake.secrets import redact
from lake.store.s3_answers import KEYS
from lake.store.store import CHUNK, StoreProperties
from lake.store.stream import cut
from lake.store.wire import PART, Answer, Occupied, Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

_CONCURRENCY = 16
_TIMEOUT = (10, 60)
_DRIVERS = ("google", "obstore")


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> WireStore:
    """The store at a `gs://` address; without Google's credentials it reads without a token.

    Raises:
        ConfigError: an unknown driver.
        Unsupported: google-cloud-storage is not installed.
    """
    driver = address.options.get("driver", "google")
    if driver not in _DRIVERS:
        raise ConfigError(
            f"no driver {driver!r} for Google buckets",
            where=address.url,
            hint=f"one of: {', '.join(_DRIVERS)}",
        )
    try:
        import google.cloud.storage  # noqa: F401 - asked for here, so that its lack is said early
    except ImportError:
        raise Unsupported(
            "Google buckets need the google-cloud-storage package",
            where=address.url,
            hint="pip install lake-datasets[gcs]",
        ) from None
    if driver == "obstore":
        from lake.store.gcs_obstore import ObstoreGoogleStore

        return ObstoreGoogleStore(address, credentials)
    properties = StoreProperties(scheme="gs", concurrency=_CONCURRENCY)
    return WireStore(address, GoogleWire(address, credentials), properties)


class GoogleWire(Wire):
    """google-cloud-storage's calls; each process has a client of its own."""

    def __init__(self, address: RemoteAddress, source: CredentialSource | None) -> None:
        self._address = address
        self._source = source
        self._endpoint = address.options.get("endpoint", GOOGLE).rstrip("/")
        self._client: Any = None
        self._session: Any = None
        self._pid = 0

    @property
    def client(self) -> Any:
        """This process's client: its connections must not be shared with a parent."""
        if self._pid != os.getpid():
            self._client, self._session = _client(self._address, self._endpoint, self._source)
            self._pid = os.getpid()
        return self._client

    def _blob(self, key: str) -> Any:
        return self.client.bucket(self._address.bucket).blob(key)

    def put(self, key: str, data: bytes, *, absent: bool) -> None:
        with self._errors(key, absent):
            self._upload(self._blob(key), io.BytesIO(data), len(data), absent)

    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        with self._errors(key, absent):
            blob = self._blob(key)
            # A resumable upload: nothing is visible before its last byte has been sent.
            blob.chunk_size = PART
            self._upload(blob, _Reader(parts), size, absent)

    def _upload(self, blob: Any, file: Any, size: int, absent: bool) -> None:
        blob.upload_from_file(
            file,
            size=size,
            content_type="application/octet-stream",
            if_generation_match=0 if absent else None,
            timeout=_TIMEOUT,
            checksum="crc32c",
            retry=None,
        )

    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        # The library only downloads into files or whole; this is its session, streaming.
        client = self.client
        url = (
            f"{self._endpoint}/download/storage/v1/b/{client.bucket(self._address.bucket).name}"
            f"/o/{quote(key, safe='')}?alt=media"
        )
        headers = {"Accept-Encoding": "gzip"}  # bytes as they are stored, never unpacked
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        with self._errors(key):
            answer = self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
            if answer.status_code == 416:
                answer.close()
                return None
            if answer.status_code not in (200, 206):
                text = answer.text
                raise _refusal(answer.status_code, text, self._address.url, key)
        size = int(answer.headers.get("Content-Length", "0"))

        def chunks() -> Iterator[bytes]:
            with self._errors(key):
                yield from answer.raw.stream(CHUNK, decode_content=False)

        if "Range" in headers and answer.status_code != 206:
            end = size if stop is None else min(stop, size)
            return Answer(max(0, end - start), cut(chunks(), start, end), answer.close)
        return Answer(size, chunks(), answer.close)

    def stat(self, key: str) -> tuple[int, float | None]:
        blob = self._blob(key)
        with self._errors(key):
            blob.reload(timeout=_TIMEOUT, retry=None)
        return blob.size, blob.updated.timestamp() if blob.updated else None

    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        with self._errors(prefix):
            found = self.client.list_blobs(
                self._address.bucket,
                prefix=prefix or None,
                start_offset=after or None,
                fields="items(name,size,updated),nextPageToken",
                timeout=_TIMEOUT,
                retry=None,
            )
            for blob in found:
                if blob.name != after:  # `start_offset` is inclusive
                    yield blob.name, blob.size, blob.updated.timestamp() if blob.updated else None

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                with self._errors(key):
                    self._blob(key).delete(timeout=_TIMEOUT, retry=None)
            except NotFound:
                continue

    def share_url(self, key: str, expires: float) -> str:
        with self._errors(key):
            try:
                url: str = self._blob(key).generate_signed_url(
                    version="v4", expiration=timedelta(seconds=max(1, round(expires)))
                )
            except AttributeError:
                raise Unsupported(
                    "these credentials cannot sign URLs",
                    where=self._address.url,
                    hint="a service account can",
                ) from None
        return url

    def close(self) -> None:
        if self._client is not None and self._pid == os.getpid():
            self._client.close()
            self._session.close()

    @contextmanager
    def _errors(self, key: str, absent: bool = False) -> Iterator[None]:
        """The library's errors as lake's; none of theirs is chained."""
        import requests
        import urllib3
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

        url = self._address.url
        where = f"{url} {key}".rstrip()
        try:
            yield
        except (GoogleAPICallError, InvalidResponse) as error:
            status = _status(error)
            if absent and status == 412:
                raise Occupied from None
            raise _refusal(status, str(getattr(error, "message", error)), url, key) from None
        except DataCorruption:
            raise RemoteError("bytes changed on the way", transient=True, where=where) from None
        except requests.TooManyRedirects:
            raise RemoteError("the server sends elsewhere", where=where) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, TransportError) as error:
            raise RemoteError(
                f"the connection failed ({type(error).__name__}: {redact(str(error))[:200]})",
                transient=True,
                where=where,
            ) from None
        except GoogleAuthError as error:
            raise AccessDenied(
                f"Google gave no token ({type(error).__name__}: {redact(str(error))[:200]})",
                where=where,
                hint="gcloud auth application-default login",
            ) from None


class _Reader(io.RawIOBase):
    """Parts as the file that the library wants to read from; it never goes back."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._held = bytearray()
        self._at = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        while size is None or size < 0 or len(self._held) < size:
            part = next(self._parts, None)
            if part is None:
                break
            self._held += part
        end = len(self._held) if size is None or size < 0 else size
        data = bytes(self._held[:end])
        del self._held[:end]
        self._at += len(data)
        return data


def _client(address: RemoteAddress, endpoint: str, source: CredentialSource | None) -> Any:
    """google-cloud-storage's client, and a session for streaming; both signed in."""
    import google.auth.credentials
    import google.auth.transport.requests
    from google.cloud import storage
    from requests.adapters import HTTPAdapter

    auth: Any = google.auth
    from_source: Any = getattr(source, "google", None)
    credentials = (from_source or auth.credentials.AnonymousCredentials)()
    project = address.options.get("project")
    if project is None and from_source is not None:
        project = source.project()  # type: ignore[union-attr]  # a GoogleSource has both
    sessions = [auth.transport.requests.AuthorizedSession(credentials) for _ in range(2)]
    for session in sessions:
        session.max_redirects = 0  # a redirect would take tokens to another host
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=64))
    client = storage.Client(
        project=project or "none",
        credentials=credentials,
        _http=sessions[0],
        client_options={"api_endpoint": endpoint},
    )
    return client, sessions[1]


def _status(error: Any) -> int | None:
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return code
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _refusal(status: int | None, message: str, url: str, key: str) -> LakeError:
    where = f"{url} {key}".rstrip()
    words = redact(f"HTTP {status}: {message}")[:300]
    if status == 404:
        if "bucket" in message.lower() and "does not exist" in message.lower():
            hint = "make the bucket first, or correct the remote's URL"
            return RemoteError("no such bucket", where=where, hint=hint)
        return NotFound("no such object", where=where)
    if status in (401, 403):
        hint = f"this account may not do this; {KEYS}"
        return AccessDenied(f"the server refused ({words})", where=where, hint=hint)
    if status in (408, 429) or (status or 0) >= 500:
        return RemoteError(f"the server failed ({words})", transient=True, where=where)
    return RemoteError(f"the server refused ({words})", where=where)
