"""From a remote in the settings to a store that is ready: trusted, signed in, retrying."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lake.store.chain import credentials_for
from lake.store.guard import ContentOnly, ReadOnly
from lake.store.open import open_store
from lake.store.retry import Retry
from lake.store.store import Store
from lake.store.trust import (
    folder_is_writable,
    refuse_metadata,
    remember,
    untrusted,
)

if TYPE_CHECKING:
    from lake.config import Config, Remote
    from lake.store.credentials import CredentialSource


def connect(remote: Remote, config: Config | None = None) -> Store:
    """The store of a remote, with retries; nothing is asked of its server yet.

    Credentials go only to endpoints that are the provider's own or that the user named; one
    that was typed in this call is remembered in the user's settings. A folder that a dataset
    names outside of itself can be read, by content address only, and not written.

    Raises:
        UntrustedRemote: the user never named its endpoint, or nobody may.
        AccessDenied: there are no credentials for it.
        ConfigError: an unknown scheme or driver, a broken settings file.
        Unsupported: a package is missing.

    >>> import tempfile
    >>> from lake.config import Config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = connect(Config().remote(folder + "/blobs", typed=True))
    ...     store.properties.writable
    True
    """
    if config is None:
        from lake.config import Config

        config = Config.load()
    store, _ = connect_named(remote, config)
    return store


def connect_named(
    remote: Remote, config: Config, *, tries: int = 10
) -> tuple[Store, CredentialSource | None]:
    """`connect`, and the source of credentials that it uses (None where none are needed)."""
    refuse_metadata(remote)
    source = credentials_for(remote, config)
    if remote.typed_by_user:
        remember(remote, config)
    address = remote.address
    region = getattr(source, "region", None)
    if address.scheme == "s3" and region and "region" not in address.options:
        address = replace(address, options={**address.options, "region": region})
    store: Store = Retry(open_store(address, credentials=source), tries)
    if remote.read_only:
        store = ReadOnly(store)
    elif not folder_is_writable(remote, config):
        stranger = "is a folder that you never named"
        store = ContentOnly(
            store,
            untrusted(remote, f"{stranger}, so nothing is written to it"),
            untrusted(remote, f"{stranger}, so only blobs named by their digest are read from it"),
        )
    return store, source
