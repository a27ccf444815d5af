"""From an address to a store: built-in schemes, and others by entry point "lake.stores"."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import ConfigError, Unsupported
from lake.store.store import Store

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

GROUP = "lake.stores"

_BUILT_IN = {
    "file": "lake.store.open:_open_file",
    "memory": "lake.store.open:_open_memory",
    "http": "lake.store.http:from_address",
    "https": "lake.store.http:from_address",
    "gs": "lake.store.gcs:from_address",
}
_S3_DRIVERS = {
    "obstore": "lake.store.s3:from_address",
    "minio": "lake.store.s3_minio:from_address",
    "boto3": "lake.store.s3_boto3:from_address",
    "public": "lake.store.s3_public:from_address",
}


def open_store(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
    driver: str | None = None,
) -> Store:
    """Open the store at an address, undecorated; nothing is asked of the server yet.

    Args:
        address: scheme, bucket, prefix and options.
        credentials: where they come from; None reads without signing.
        base: the folder that a relative path starts from.
        driver: of an S3 store: "obstore", "minio", "boto3", or "public" for reading without
            keys; the default is what the address says, else what serves it best.

    Raises:
        ConfigError: an unknown scheme or driver.
        Unsupported: the driver's package is not installed.

    A scheme that lake does not know is looked for among the entry points "lake.stores": each
    names a function `(address, *, credentials, base) -> Store`.
    """
    name = address.scheme
    if name == "s3":
        return _open_s3(address, credentials, base, driver or _asked_for(address, credentials))
    factory = _load(_BUILT_IN[name]) if name in _BUILT_IN else _plugin(name)
    return factory(address, credentials=credentials, base=base)


def _open_s3(
    address: RemoteAddress,
    credentials: CredentialSource | None,
    base: Path | None,
    driver: str | None,
) -> Store:
    if driver is not None and driver not in _S3_DRIVERS:
        names = ", ".join(_S3_DRIVERS)
        raise ConfigError(f"no S3 driver {driver!r}", where=address.url, hint=f"one of: {names}")
    for choice in [driver] if driver else _s3_choices():
        try:
            factory = _load(_S3_DRIVERS[choice])
        except ImportError:
            continue
        return factory(address, credentials=credentials, base=base)
    raise Unsupported(
        "this needs the minio or the boto3 package"
        + ("" if driver else ": the default driver cannot serve a forked child"),
        where=address.url,
        hint="pip install lake-datasets[s3]",
    )


def _asked_for(address: RemoteAddress, credentials: CredentialSource | None) -> str | None:
    """The driver that an address asks for; without keys never obstore, whoever wrote the address.

    obstore follows redirects to anywhere, so that a stranger's server could send this machine's
    requests into its own network.
    """
    asked = address.options.get("driver")
    return "public" if asked in (None, "obstore") and _unsigned(credentials) else asked


def _unsigned(credentials: CredentialSource | None) -> bool:
    from lake.store.credentials import Anonymous

    return credentials is None or isinstance(credentials, Anonymous)


def _s3_choices() -> list[str]:
    from lake.store.s3 import used_in_other_process

    # Once a process has used obstore, its forked children hang in it.
    return ["minio", "boto3"] if used_in_other_process() else ["obstore"]


def _open_file(
    address: RemoteAddress, *, credentials: CredentialSource | None, base: Path | None
) -> Store:
    from lake.store.local import LocalStore

    path = Path(address.path)
    return LocalStore(path if path.is_absolute() else (base or Path.cwd()) / path)


def _open_memory(
    address: RemoteAddress, *, credentials: CredentialSource | None, base: Path | None
) -> Store:
    from lake.store.memory import MemoryStore

    return MemoryStore.named("/".join(part for part in (address.bucket, address.prefix) if part))


def _load(target: str) -> Callable[..., Store]:
    module, _, name = target.partition(":")
    function: Callable[..., Store] = getattr(importlib.import_module(module), name)
    return function


def _plugin(scheme: str) -> Callable[..., Store]:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=scheme):
        function: Callable[..., Store] = point.load()
        return function
    raise ConfigError(
        f"no store for {scheme}:// addresses",
        hint="built in are s3, gs, https, file and memory; packages may add others",
    )
