"""The S3 driver on boto3: for what only Amazon's own library can do, by `driver=boto3`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from lake.errors import RemoteError
from lake.secrets import redact
from lake.store.s3_answers import is_occupied, is_unconditional, refusal
from lake.store.store import CHUNK, StoreProperties
from lake.store.stream import cut
from lake.store.wire import Answer, Occupied, Unconditional, Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource, S3Credentials
    from lake_schemas.remote import RemoteAddress

# boto3 with more threads is slower, not faster: it is bound by the interpreter.
_CONCURRENCY = 4
_PER_DELETE = 1000


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> WireStore:
    """The store at an S3 address; `credentials` None reads without signing."""
    properties = StoreProperties(scheme="s3", concurrency=_CONCURRENCY)
    return WireStore(address, Boto3Wire(address, credentials), properties)


class Boto3Wire(Wire):
    """boto3's calls; each process has a client of its own."""

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
            self.client.put_object(Bucket=self._bucket, Key=key, Body=data, **_condition(absent))

    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        place = {"Bucket": self._bucket, "Key": key}
        with self._errors(key, absent):
            upload = {**place, "UploadId": self.client.create_multipart_upload(**place)["UploadId"]}
            try:
                tags = []
                for number, part in enumerate(parts, 1):
                    sent = self.client.upload_part(**upload, PartNumber=number, Body=part)
                    tags.append({"PartNumber": number, "ETag": sent["ETag"]})
                self.client.complete_multipart_upload(
                    **upload, MultipartUpload={"Parts": tags}, **_condition(absent)
                )
            except BaseException:
                self._abort(upload)
                raise

    def _abort(self, upload: dict[str, str]) -> None:
        # The reason for aborting matters more than its failure; buckets expire stale parts.
        with suppress(BotoCoreError, ClientError):
            self.client.abort_multipart_upload(**upload)

    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        wanted = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        try:
            with self._errors(key):
                answer = self.client.get_object(
                    Bucket=self._bucket, Key=key, **(wanted if start or stop is not None else {})
                )
        except _BeyondEnd:
            return None
        body = answer["Body"]

        def chunks() -> Iterator[bytes]:
            with self._errors(key):
                yield from body.iter_chunks(CHUNK)

        size = answer["ContentLength"]
        if (start or stop is not None) and "ContentRange" not in answer:
            # The server knows no ranges: it gave all of it.
            end = size if stop is None else min(stop, size)
            return Answer(max(0, end - start), cut(chunks(), start, end), body.close)
        return Answer(size, chunks(), body.close)

    def stat(self, key: str) -> tuple[int, float | None]:
        with self._errors(key):
            found = self.client.head_object(Bucket=self._bucket, Key=key)
        modified = found.get("LastModified")
        return found.get("ContentLength", 0), modified.timestamp() if modified else None

    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        with self._errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    modified = found.get("LastModified")
                    yield found["Key"], found["Size"], modified.timestamp() if modified else None

    def delete(self, keys: Sequence[str]) -> None:
        for begin in range(0, len(keys), _PER_DELETE):
            objects = [{"Key": key} for key in keys[begin : begin + _PER_DELETE]]
            with self._errors(""):
                answer = self.client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
                )
            for error in answer.get("Errors", ()):
                if error["Code"] != "NoSuchKey":
                    raise refusal(
                        None, error["Code"], error.get("Message", ""),
                        url=self._address.url, key=error.get("Key", ""),
                    )  # fmt: skip

    def share_url(self, key: str, expires: float) -> str:
        with self._errors(key):
            url: str = self.client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": key},
                ExpiresIn=max(1, round(expires)),
            )
        return url

    def close(self) -> None:
        if self._client is not None and self._pid == os.getpid():
            self._client.close()

    @contextmanager
    def _errors(self, key: str, absent: bool = False) -> Iterator[None]:
        """botocore's errors as lake's; none of theirs is chained."""
        url = self._address.url
        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            code, message = str(told.get("Code", "")), str(told.get("Message", ""))
            if absent and is_occupied(status, code):
                raise Occupied from None
            if absent and is_unconditional(status, code):
                raise Unconditional from None
            if status == 416 or code == "InvalidRange":
                raise _BeyondEnd from None
            raise refusal(status, code, message, url=url, key=key) from None
        except (BotoCoreError, OSError) as error:
            passing = isinstance(error, HTTPClientError | OSError) or "Read" in type(error).__name__
            raise RemoteError(
                f"the connection failed ({type(error).__name__}: {redact(str(error))[:200]})",
                transient=passing,
                where=f"{url} {key}".rstrip(),
            ) from None


class _BeyondEnd(Exception):
    """The range begins at or after the object's end."""


def _condition(absent: bool) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if absent else {}


def _client(address: RemoteAddress, source: CredentialSource | None) -> Any:
    """A client that signs with the source's keys, whatever the environment may hold."""
    session = botocore.session.Session()
    keys = source.get() if source is not None else None
    if source is not None and keys is not None:
        session._credentials = _session_credentials(source, keys)
    options = address.options
    config = Config(
        signature_version=UNSIGNED if keys is None else "s3v4",
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=64,
        # Trying again is the business of lake's own decorator.
        retries={"total_max_attempts": 1},
        s3={"addressing_style": options.get("addressing", _addressing(address))},
        # Servers other than Amazon's do not all know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        parameter_validation=False,
        # Lake has decided where requests go, and whether they may be signed there.
        ignore_configured_endpoint_urls=True,
    )
    client = boto3.Session(botocore_session=session).client(
        "s3",
        endpoint_url=options.get("endpoint"),
        region_name=options.get("region", "us-east-1"),
        config=config,
    )
    client.meta.events.register_last("before-parameter-build.s3", _stay)
    return client


def _stay(context: dict[str, Any], **_: Any) -> None:
    """Have botocore believe that it has followed a redirect already, so that it follows none: a
    server that redirects for ever would have it recurse for ever."""
    context.setdefault("s3_redirect", {})["redirected"] = True


def _addressing(address: RemoteAddress) -> str:
    return "path" if "endpoint" in address.options else "auto"


def _session_credentials(source: CredentialSource, keys: S3Credentials) -> Any:
    """botocore's form of the source's keys: asked anew as they near their end."""
    if keys.expires_at is None:
        token = keys.token.get_secret_value() if keys.token is not None else None
        return Credentials(keys.access_key, keys.secret_key.get_secret_value(), token)
    return RefreshableCredentials.create_from_metadata(
        _metadata(keys), lambda: _metadata(source.get() or keys), "lake"
    )


def _metadata(keys: S3Credentials) -> dict[str, str | None]:
    expires = keys.expires_at or datetime.max.replace(tzinfo=UTC)
    return {
        "access_key": keys.access_key,
        "secret_key": keys.secret_key.get_secret_value(),
        "token": keys.token.get_secret_value() if keys.token is not None else None,
        "expiry_time": expires.isoformat(),
    }
