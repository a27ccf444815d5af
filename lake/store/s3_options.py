"""How obstore is told to talk to an S3 address; every setting it would guess is given."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lake.errors import ConfigError, LakeError

if TYPE_CHECKING:
    from obstore.store import S3Credential

    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

_CERTIFICATES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")


def store_options(address: RemoteAddress, *, signed: bool) -> dict[str, Any]:
    """The arguments of obstore's S3Store for an address."""
    options = address.options
    endpoint, virtual = endpoint_of_bucket(address)
    secure = urlsplit(endpoint).scheme == "https"
    # obstore reads AWS_* variables for whatever is not said here, and an endpoint in one of
    # them would win over ours; lake alone decides where signed requests go, and how.
    return {
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "region": options.get("region", "us-east-1"),
        "skip_signature": not signed,
        "virtual_hosted_style_request": virtual,
        # TLS protects the body already; without it the signature does.
        "unsigned_payload": options.get("unsigned_payload", str(secure).lower()) == "true",
        "request_payer": options.get("requester_pays") == "true",
        "s3_express": False,
        "conditional_put": "etag",
        "client_options": {
            "allow_http": not secure,
            "timeout": "600s",  # of one request with its whole body
            "connect_timeout": "10s",
            "read_timeout": "60s",
            "default_content_type": "application/octet-stream",
            "user_agent": "lake",
            **_certificates(address),
        },
        # Trying again is the business of lake's own decorator.
        "retry_config": {"max_retries": 0},
    }


def endpoint_of_bucket(address: RemoteAddress) -> tuple[str, bool]:
    """The endpoint, and whether the bucket is part of its name."""
    bucket, addressing = address.bucket or "", address.options.get("addressing")
    named = address.options.get("endpoint")
    if named:
        named = named.rstrip("/")
        if addressing != "virtual":
            return named, False
        scheme, _, rest = named.partition("://")
        return f"{scheme}://{bucket}.{rest}", True
    region = address.options.get("region", "us-east-1")
    host = f"s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    # A dot in a bucket's name would not fit Amazon's certificate.
    if addressing == "path" or "." in bucket:
        return f"https://{host}", False
    return f"https://{bucket}.{host}", True


def _certificates(address: RemoteAddress) -> dict[str, str]:
    for name in _CERTIFICATES:
        if path := os.environ.get(name):
            try:
                return {"root_certificate": Path(path).read_text()}
            except (OSError, UnicodeDecodeError):
                raise ConfigError(
                    f"cannot read the certificates that {name} names", where=path
                ) from None
    return {}


class Provider:
    """Gives obstore the keys of a source whenever it asks: at first, and before they expire."""

    def __init__(self, source: CredentialSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self.failed: LakeError | None = None
        """What the source raised when it was last asked, if it did."""

    def signs(self) -> bool:
        """Whether the source has keys; asks it.

        Raises:
            AccessDenied: it had some and cannot renew them.
        """
        return self._source.get() is not None

    def __call__(self) -> S3Credential:
        """Keys in obstore's form."""
        with self._lock:
            try:
                keys = self._source.get()
                self.failed = None
            except LakeError as error:
                self.failed = error
                raise
        if keys is None:
            raise ValueError("the source has no keys any more")
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key.get_secret_value(),
            "token": keys.token.get_secret_value() if keys.token is not None else None,
            "expires_at": keys.expires_at,
        }

    def __repr__(self) -> str:
        return f"Provider({self._source.name!r})"
