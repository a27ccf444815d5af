"""Google Cloud Storage through obstore: `driver=obstore` in a `gs://` address.

Faster than Google's own library by far, and not the default: against the one server that tests can
run, obstore's reads fail.
"""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

from lake.config.endpoint import GOOGLE
from lake.errors import LakeError
from lake.store import s3
from lake.store.gcs import GoogleWire
from lake.store.store import StoreProperties
from lake.store.wire import Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress


class ObstoreGoogleStore(WireStore):
    """The store over obstore's calls; in a forked child, over those of Google's library."""

    def __init__(self, address: RemoteAddress, source: CredentialSource | None) -> None:
        self._address, self._source = address, source
        self._other: Wire | None = None
        properties = StoreProperties(scheme="gs", concurrency=s3.CONCURRENCY)
        super().__init__(address, _ObstoreGoogleWire(address, source), properties)

    @property
    def _wire(self) -> Wire:
        if not s3.used_in_other_process():
            return self._first
        if self._other is None:
            self._other = GoogleWire(self._address, self._source)
        return self._other

    @_wire.setter
    def _wire(self, wire: Wire) -> None:
        self._first = wire


class _ObstoreGoogleWire(s3.ObstoreWire):
    """obstore's calls are the same for every backend; only the client is another."""

    def __init__(self, address: RemoteAddress, source: CredentialSource | None) -> None:
        super().__init__(address, None)
        tokens = getattr(source, "google", None)
        self._tokens = None if tokens is None else _Tokens(tokens)

    def _make(self) -> Any:
        from obstore.store import GCSStore

        with self._making:
            if self._made is None:
                s3._user_pid = os.getpid()
                endpoint = self._address.options.get("endpoint", GOOGLE).rstrip("/")
                self._made = GCSStore(
                    self._address.bucket,
                    **_identity(endpoint, self._tokens),
                    client_options={
                        "allow_http": endpoint.startswith("http://"),
                        "timeout": "600s",
                        "connect_timeout": "10s",
                        "read_timeout": "60s",
                    },
                    retry_config={"max_retries": 0},
                )
        return self._made

    def _translated(
        self, error: Exception, key: str, *, absent: bool = False, ranged: bool = False
    ) -> Exception:
        failed = self._tokens.failed if self._tokens is not None else None
        return failed or super()._translated(error, key, absent=absent, ranged=ranged)


def _identity(endpoint: str, tokens: _Tokens | None) -> dict[str, Any]:
    """How obstore is to identify itself; left to itself it would ask the metadata address."""
    if tokens is not None:
        return {"credential_provider": tokens, "base_url": endpoint}
    if endpoint == GOOGLE:
        return {"skip_signature": True, "base_url": endpoint}
    # An emulator takes writes without a token, which `skip_signature` does not cover.
    account = {"private_key": "", "private_key_id": "", "client_email": ""}
    key = {**account, "disable_oauth": True, "gcs_base_url": endpoint}
    return {"service_account_key": json.dumps(key)}


class _Tokens:
    """Gives obstore a token whenever it asks; google-auth renews them."""

    def __init__(self, load: Any) -> None:
        self._load = load
        self._lock = threading.Lock()
        self.failed: LakeError | None = None

    def __call__(self) -> Any:
        from lake.store.credentials_gcs import token_of

        with self._lock:
            try:
                token, expires = token_of(self._load())
                self.failed = None
            except LakeError as error:
                self.failed = error
                raise
        return {
            "token": token.get_secret_value(),
            "expires_at": expires.replace(tzinfo=UTC) if expires is not None else None,
        }
