"""From an alias or a URL to a remote: who named it, and what exactly it means here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lake.config.aws import s3_endpoint, s3_region
from lake.config.endpoint import endpoint_of, reference_for
from lake.config.files import ConfigFile, shown
from lake.config.remote import Named, Origin, Remote
from lake.errors import ConfigError
from lake_schemas.errors import FormatError
from lake_schemas.names import safe_name
from lake_schemas.remote import RemoteAddress, split_credentials

if TYPE_CHECKING:
    from lake.config.config import Config

_AWAY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|.*/|\.{1,2}$", re.DOTALL)

DESCRIPTOR = "dataset.yaml"


def resolve(
    config: Config, text: str, declared: Mapping[str, str], base: Path | None, typed: bool
) -> Remote:
    """See `Config.remote`."""
    if _AWAY.match(text):
        found = _from_url(config, text, declared, base, typed)
    else:
        found = _from_alias(config, text, declared, base)
    return replace(found, address=_with_environment(found.address))


def _from_alias(
    config: Config, alias: str, declared: Mapping[str, str], base: Path | None
) -> Remote:
    meant = _unreplaced(config, alias, declared, base)
    for file in config.files:
        mirror = getattr(file.settings, "replace", {}).get(alias)
        if mirror is not None:
            origin = Origin(file.by, file.where("replace", alias))
            address, relative = _address(mirror, file.base, origin)
            instead = meant.url_from(base or file.base) if meant is not None else None
            return Remote(alias, address, origin, _home(config, file), relative, replaces=instead)
    if meant is None:
        raise _unknown(config, alias, declared)
    return meant


def _unreplaced(
    config: Config, alias: str, declared: Mapping[str, str], base: Path | None
) -> Remote | None:
    before = [file for file in config.files if file.by is Named.LOCAL]
    after = [file for file in config.files if file.by is not Named.LOCAL]
    for file in before:
        if alias in file.settings.remotes:
            return _configured(config, file, alias)
    if alias in declared:
        where = shown(base / DESCRIPTOR) if base is not None else f"a dataset's {DESCRIPTOR}"
        origin = Origin(Named.DATASET, where)
        address, relative = _address(declared[alias], base, origin)
        return Remote(alias, address, origin, _dataset_home(config, base), relative)
    for file in after:
        if alias in file.settings.remotes:
            return _configured(config, file, alias)
    return None


def _configured(config: Config, file: ConfigFile, alias: str) -> Remote:
    entry = file.settings.remotes[alias]
    origin = Origin(file.by, file.where("remotes", alias))
    address, relative = _address(entry.url, file.base, origin)
    if entry.driver is not None:
        address = replace(address, options={**address.options, "driver": entry.driver})
    return Remote(
        alias,
        address,
        origin,
        _home(config, file),
        relative,
        credentials=entry.credentials,
        profile=entry.profile,
        order=entry.order or 0,
        read_only=entry.read_only,
    )


def _from_url(
    config: Config, url: str, declared: Mapping[str, str], base: Path | None, typed: bool
) -> Remote:
    origin = Origin(Named.TYPED, "the command line") if typed else Origin(Named.DATASET, "a text")
    if typed:
        url = _take_credentials(url)
    start = Path.cwd() if typed or base is None else base
    address, relative = _address(url, start, origin)
    known = _alias_of(config, address, declared, base)
    alias = known or _new_alias(config, address, declared)
    return Remote(alias, address, origin, None if typed else base, relative)


def _take_credentials(url: str) -> str:
    """Save what is before the "@" of a typed URL; the clean URL."""
    from lake.secrets import register, save

    try:
        clean, pair = split_credentials(url)
    except FormatError as error:
        raise ConfigError(error.what, hint=error.hint) from None
    if pair is not None:
        access, secret = pair
        register(secret)
        address = RemoteAddress.parse(clean)
        save(reference_for(endpoint_of(address) or "", address.bucket), access, secret)
    return clean


def _alias_of(
    config: Config, address: RemoteAddress, declared: Mapping[str, str], base: Path | None
) -> str | None:
    """The alias that already stands for this address, the dataset's before the settings'."""
    names = [*declared, *(name for file in config.files for name in file.settings.remotes)]
    for name in dict.fromkeys(names):
        meant = _unreplaced(config, name, declared, base)
        if meant is not None and _same_place(meant.address, address):
            return name
    return None


def _same_place(one: RemoteAddress, other: RemoteAddress) -> bool:
    if one.scheme == other.scheme == "file":
        return os.path.realpath(one.path) == os.path.realpath(other.path)
    return one.url == other.url


def _new_alias(config: Config, address: RemoteAddress, declared: Mapping[str, str]) -> str:
    parts = [part for part in address.prefix.split("/") if part]
    stem = safe_name(
        (parts[-1] if address.scheme == "file" and parts else address.bucket) or "store"
    )
    taken = {*declared, *(name for file in config.files for name in file.settings.remotes)}
    numbered = (stem if n == 1 else f"{stem[:60]}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)


def _address(url: str, base: Path | None, origin: Origin) -> tuple[RemoteAddress, bool]:
    """The address, absolute, and whether the text had a relative one."""
    try:
        address = RemoteAddress.parse(url)
    except FormatError as error:
        raise ConfigError(error.what, where=origin.where, hint=error.hint) from None
    if not address.is_relative:
        return address, False
    absolute = os.path.normpath(os.path.join(base or Path.cwd(), address.path))  # noqa: PTH118
    return RemoteAddress("file", None, os.path.abspath(absolute)), True  # noqa: PTH100


def _home(config: Config, file: ConfigFile) -> Path:
    """The folder that a settings file speaks for."""
    if file.by is Named.USER or config.project is None:
        return file.base
    return config.project


def _dataset_home(config: Config, base: Path | None) -> Path | None:
    """A dataset inside a project may keep its blobs anywhere in that project."""
    if base is None or config.project is None:
        return base
    inside = Path(os.path.realpath(base)).is_relative_to(os.path.realpath(config.project))
    return config.project if inside else base


def _with_environment(address: RemoteAddress) -> RemoteAddress:
    """As in the providers' own tools, the environment says where a URL without endpoint leads."""
    if address.scheme not in ("s3", "gs") or "endpoint" in address.options:
        return address
    added = _amazon(address) if address.scheme == "s3" else _google()
    try:
        return replace(address, options={**address.options, **added}) if added else address
    except FormatError as error:
        raise ConfigError(
            error.what, where="the environment, or ~/.aws/config", hint=error.hint
        ) from None


def _amazon(address: RemoteAddress) -> dict[str, str]:
    added = {}
    if endpoint := s3_endpoint():
        added["endpoint"] = endpoint
    if "region" not in address.options and (region := s3_region()):
        added["region"] = region
    return added


def _google() -> dict[str, str]:
    host = os.environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
    if not host:
        return {}
    return {"endpoint": host if "://" in host else f"http://{host}"}


def _unknown(config: Config, alias: str, declared: Mapping[str, str]) -> ConfigError:
    names = {*declared, *(name for file in config.files for name in file.settings.remotes)}
    known = f"known: {', '.join(sorted(names))}" if names else "none are known here"
    return ConfigError(
        f"no remote '{alias[:80]}'",
        hint=f"{known}; lake remote add {alias[:80]} URL, or ./{alias[:80]} for a folder",
    )
