"""The server that an address leads to, in one canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from lake_schemas.remote import RemoteAddress

AWS = "https://s3.amazonaws.com"
GOOGLE = "https://storage.googleapis.com"

_DEFAULT_PORTS = {"https": 443, "http": 80}


def canonical(url: str) -> str:
    """`scheme://host[:port]` in lower case, without the scheme's own port and any path.

    >>> canonical("HTTPS://Minio.Example.org:443/")
    'https://minio.example.org'
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    try:
        port = parts.port
    except ValueError:
        port = None
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port}"


def endpoint_of(address: RemoteAddress) -> str | None:
    """The server that an address leads to, canonical; None where there is none (a folder)."""
    if named := address.options.get("endpoint"):
        return canonical(named)
    if address.scheme == "s3":
        return AWS
    if address.scheme == "gs":
        return GOOGLE
    if address.scheme in ("http", "https"):
        return canonical(f"{address.scheme}://{address.bucket}")
    return None


def reference_for(endpoint: str, bucket: str | None) -> str:
    """The name under which keys for a bucket at a canonical endpoint are saved.

    >>> reference_for("https://minio.example.org", "ml-data")
    'https://minio.example.org/ml-data'
    """
    return f"{endpoint}/{bucket or ''}"
