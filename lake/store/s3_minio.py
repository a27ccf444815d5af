"""The S3 driver on minio-py: what a forked child uses, and what `driver=minio` asks for."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree  # builds requests; answers are minio's to parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.credentials.providers import Provider
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from lake.errors import ConfigError, RemoteError
from lake.secrets import redact
from lake.store.s3_answers import is_occupied, is_unconditional, refusal
from lake.store.store import CHUNK, StoreProperties
from lake.store.stream import cut
from lake.store.wire import Answer, Occupied, Unconditional, Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_CONCURRENCY = 8
_CERTIFICATES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> WireStore:
    """The store at an S3 address; `credentials` None reads without signing."""
    properties = StoreProperties(scheme="s3", concurrency=_CONCURRENCY)
    return WireStore(address, MinioWire(address, credentials), properties)


class MinioWire(Wire):
    """minio-py's calls; each process has a client of its own."""

    def __init__(self, address: RemoteAddress, credentials: CredentialSource | None) -> None:
        self._address = address
        self._bucket = address.bucket or ""
        self._source = credentials
        self._client: Any = None
        self._pid = 0

    @property
    def client(self) -> Any:
        """This process's client: its connections must not be shared with a parent."""
        if self._pid != os.getpid():
            self._client, self._pid = _client(self._address, self._source), os.getpid()
        return self._client

    def put(self, key: str, data: bytes, *, absent: bool) -> None:
        with self._errors(key, absent):
            self._send("PUT", key, data, _condition(absent))

    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        with self._errors(key, absent):
            upload = self.client._create_multipart_upload(self._bucket, key, {})
            try:
                tags = [
                    self.client._upload_part(self._bucket, key, part, None, upload, number)
                    for number, part in enumerate(parts, 1)
                ]
                self._complete(key, upload, tags, absent)
            except BaseException:
                self._abort(key, upload)
                raise

    def _complete(self, key: str, upload: str, tags: list[str], absent: bool) -> None:
        root = ElementTree.Element("CompleteMultipartUpload")
        for number, tag in enumerate(tags, 1):
            part = ElementTree.SubElement(root, "Part")
            ElementTree.SubElement(part, "PartNumber").text = str(number)
            ElementTree.SubElement(part, "ETag").text = f'"{tag}"'
        headers = {"Content-Type": "application/xml", **_condition(absent)}
        body = ElementTree.tostring(root)
        answer = self._send("POST", key, body, headers, {"uploadId": upload})
        # Once the server has begun to answer 200 it can report a failure in the body only.
        if b"<Error" in answer.data:
            raise RemoteError("the server could not join the parts", transient=True)

    def _abort(self, key: str, upload: str) -> None:
        # The reason for aborting matters more than its failure; buckets expire stale parts.
        with suppress(MinioException, urllib3.exceptions.HTTPError, OSError):
            self.client._abort_multipart_upload(self._bucket, key, upload)

    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        wanted = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        headers = wanted if start or stop is not None else None
        try:
            with self._errors(key):
                answer = self._send("GET", key, None, headers, stream=True)
        except _BeyondEnd:
            return None
        size = int(answer.headers.get("Content-Length", "0"))

        def chunks() -> Iterator[bytes]:
            with self._errors(key):
                yield from answer.stream(CHUNK)

        def close() -> None:
            # What was not read to its end cannot be used for another request.
            answer.close()
            answer.release_conn()

        # Some give the range asked for with a status that says otherwise.
        if headers and answer.status != 206 and "Content-Range" not in answer.headers:
            # The server knows no ranges: it gave all of it.
            end = size if stop is None else min(stop, size)
            return Answer(max(0, end - start), cut(chunks(), start, end), close)
        return Answer(size, chunks(), close)

    def stat(self, key: str) -> tuple[int, float | None]:
        with self._errors(key):
            found = self.client.stat_object(self._bucket, key)
        modified = found.last_modified
        return found.size, modified.timestamp() if modified is not None else None

    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        with self._errors(prefix):
            for found in self.client.list_objects(
                self._bucket, prefix=prefix, recursive=True, start_after=after or None
            ):
                modified = found.last_modified
                yield found.object_name, found.size, modified.timestamp() if modified else None

    def delete(self, keys: Sequence[str]) -> None:
        with self._errors(""):
            objects = [DeleteObject(key) for key in keys]
            for error in self.client.remove_objects(self._bucket, objects):
                if error.code != "NoSuchKey":
                    raise refusal(
                        None, error.code or "", error.message or "",
                        url=self._address.url, key=error.name or "",
                    )  # fmt: skip

    def share_url(self, key: str, expires: float) -> str:
        with self._errors(key):
            url: str = self.client.presigned_get_object(
                self._bucket, key, expires=timedelta(seconds=max(1, round(expires)))
            )
        return url

    def close(self) -> None:
        if self._client is not None and self._pid == os.getpid():
            self._client._http.clear()

    def _send(
        self,
        method: str,
        key: str,
        body: bytes | None,
        headers: dict[str, str] | None,
        query: dict[str, str] | None = None,
        *,
        stream: bool = False,
    ) -> Any:
        return self.client._execute(
            method, self._bucket, key, body=body, headers=headers, query_params=query,
            preload_content=not stream, no_body_trace=True,
        )  # fmt: skip

    @contextmanager
    def _errors(self, key: str, absent: bool = False) -> Iterator[None]:
        """minio's and urllib3's errors as lake's; none of theirs is chained, for they may hold
        request headers."""
        url = self._address.url
        try:
            yield
        except S3Error as error:
            status = getattr(error.response, "status", None)
            code, message = error.code or "", error.message or ""
            if absent and is_occupied(status, code):
                raise Occupied from None
            if absent and is_unconditional(status, code):
                raise Unconditional from None
            if status == 416 or code == "InvalidRange":
                raise _BeyondEnd from None
            raise refusal(status, code, message, url=url, key=key) from None
        except (InvalidResponseError, ServerError) as error:
            status = getattr(error, "_code", None) or getattr(error, "status_code", None)
            if absent and is_occupied(status, ""):
                raise Occupied from None
            if status == 416:
                raise _BeyondEnd from None
            raise refusal(status, f"HTTP {status}", "", url=url, key=key) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RemoteError(
                f"the connection failed ({type(error).__name__}: {redact(str(error))[:200]})",
                transient=True,
                where=f"{url} {key}".rstrip(),
            ) from None
        except (MinioException, ValueError) as error:
            raise RemoteError(
                f"the request failed ({type(error).__name__}: {redact(str(error))[:200]})",
                where=f"{url} {key}".rstrip(),
            ) from None


class _BeyondEnd(Exception):
    """The range begins at or after the object's end."""


class _Provider(Provider):
    """Asks lake's source anew for each request, so that keys which expire are renewed."""

    def __init__(self, source: CredentialSource) -> None:
        self._source = source

    def retrieve(self) -> Credentials:
        keys = self._source.get()
        if keys is None:
            return None  # type: ignore[return-value]  # minio then does not sign
        token = keys.token.get_secret_value() if keys.token is not None else None
        return Credentials(keys.access_key, keys.secret_key.get_secret_value(), token)


def _client(address: RemoteAddress, source: CredentialSource | None) -> Any:
    endpoint = address.options.get("endpoint", "https://s3.amazonaws.com")
    parts = urlsplit(endpoint)
    if parts.path not in ("", "/"):
        raise ConfigError(
            "the minio driver takes no endpoint with a path",
            where=address.url,
            hint="add driver=obstore to the URL",
        )
    bundle = next((path for name in _CERTIFICATES if (path := os.environ.get(name))), None)
    http = urllib3.PoolManager(
        timeout=_TIMEOUT,
        maxsize=64,
        cert_reqs="CERT_REQUIRED",
        ca_certs=bundle,
        # Trying again is the business of lake's own decorator, but for a pooled connection that
        # the server has closed meanwhile. Following a redirect would take signed requests to
        # where nobody has said they may go.
        retries=urllib3.Retry(
            total=None, connect=0, read=1, redirect=0, status=0, other=0,
            allowed_methods=("GET", "HEAD"), raise_on_redirect=False, raise_on_status=False,
        ),
    )  # fmt: skip
    region = address.options.get("region")
    if region is None and "endpoint" in address.options:
        region = "us-east-1"  # what servers other than Amazon's go by
    client: Any = Minio(
        parts.netloc,
        secure=parts.scheme == "https",
        region=region,
        http_client=http,
        credentials=None if source is None else _Provider(source),
    )
    if address.options.get("addressing") == "virtual":
        client.enable_virtual_style_endpoint()
    return client


def _condition(absent: bool) -> dict[str, str]:
    return {"If-None-Match": "*"} if absent else {}
