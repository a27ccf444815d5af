"""What `lake remote` changes: remotes and the default one, in one settings file or another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.config.config import Config
from lake.config.edit import Scope, change
from lake.config.endpoint import endpoint_of, reference_for
from lake.config.files import shown
from lake.config.places import DIRECTORY, LOCAL_FILE
from lake.config.remote import Named
from lake.errors import ConfigError, ConflictError, UsageError
from lake_schemas.errors import FormatError
from lake_schemas.names import check_alias
from lake_schemas.remote import RemoteAddress, split_credentials

_SCOPES = {Named.LOCAL: Scope.LOCAL, Named.USER: Scope.USER, Named.PROJECT: Scope.PROJECT}


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_remote` wrote: the clean `url` into `file`, keys (if any) to `keys`."""

    alias: str
    url: str
    file: Path
    default: bool
    keys: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of `add_remote` besides a name and a URL.

    Attributes:
        keys: an access key and its secret, asked for at the terminal.
        key_file: of a Google service account.
        force: replace a remote of that name.
    """

    scope: Scope = Scope.PROJECT
    default: bool = False
    profile: str | None = None
    read_only: bool = False
    order: int | None = None
    keys: tuple[str, str] | None = None
    key_file: Path | None = None
    force: bool = False
    dry_run: bool = False


def add_remote(config: Config, alias: str, url: str, wish: Wish | None = None) -> Added:
    """Write a remote into a settings file; a secret in its URL goes to the user's own store.

    A relative folder is written relative to the settings file. Nothing is made or asked at the
    remote itself.

    Raises:
        ConfigError: not an alias, or not a URL.
        ConflictError: the alias stands for another URL there, and `force` is not set.
        UsageError: a profile in the shared project file.
    """
    wish = wish or Wish()
    try:
        check_alias(alias)
        clean, pair = split_credentials(url)
    except FormatError as error:
        raise ConfigError(error.what, hint=error.hint) from None
    if wish.scope is Scope.PROJECT and wish.profile is not None:
        raise UsageError(
            "a profile is a person's own and does not go into the shared file",
            hint="add --local or --user",
        )
    remote = config.remote(_as_location(clean), typed=True)
    file = wish.scope.file(config.project)
    text = _text(remote.address, remote.relative, file)
    _refuse_other(config, alias, text, wish)
    pair = wish.keys or pair
    place = None
    if pair is not None or wish.key_file is not None:
        place = _keep(remote.address, pair, wish)
    if not wish.dry_run:
        edits: dict[tuple[str, ...], Any] = {("remotes", alias): _entry(text, wish)}
        if wish.default:
            edits["default",] = alias
        change(file, edits)
        _keep_local_out_of_git(file)
    return Added(alias, text, file, wish.default, place)


def remove_remote(
    config: Config, alias: str, scope: Scope | None = None, *, dry_run: bool = False
) -> Path:
    """Take a remote out of the nearest settings file that has it, or out of that of `scope`.

    The store itself, and saved keys, stay as they are.

    Raises:
        ConfigError: it is not there.
    """
    for file in config.files:
        if alias in file.settings.remotes and scope in (None, _SCOPES[file.by]):
            edits: dict[tuple[str, ...], Any] = {("remotes", alias): None}
            if file.settings.default == alias:
                edits["default",] = None
            if not dry_run:
                change(file.path, edits)
            return file.path
    raise ConfigError(f"no remote '{alias}' in these settings", hint="lake remote list")


def set_default(
    config: Config, alias: str | None, scope: Scope = Scope.PROJECT, *, dry_run: bool = False
) -> Path:
    """Make `alias` the remote that commands use when they are given none; None: no default.

    Raises:
        ConfigError: there is no such remote.
    """
    if alias is not None:
        config.remote(alias)
    file = scope.file(config.project)
    if dry_run:
        return file
    change(file, {("default",): alias})
    _keep_local_out_of_git(file)
    return file


def _as_location(text: str) -> str:
    """`add` takes any text for a folder: "store" is "./store" here, and not an alias."""
    return text if "/" in text or text in ("", ".", "..") else f"./{text}"


def _text(address: RemoteAddress, relative: bool, file: Path) -> str:
    if not relative:
        return address.url
    start = os.path.realpath(file.parent)
    return RemoteAddress.parse(os.path.relpath(os.path.realpath(address.path), start)).url


def _refuse_other(config: Config, alias: str, text: str, wish: Wish) -> None:
    for file in config.files:
        entry = file.settings.remotes.get(alias)
        if entry is None or _SCOPES[file.by] is not wish.scope or entry.url == text or wish.force:
            continue
        raise ConflictError(
            f"remote '{alias}' stands for another place already",
            where=f"{entry.url} ({file.where('remotes', alias)})",
            hint="add --force to replace it, or choose another name",
        )


def _entry(text: str, wish: Wish) -> str | dict[str, Any]:
    more: dict[str, Any] = {}
    if wish.profile is not None:
        more["profile"] = wish.profile
    if wish.order is not None:
        more["order"] = wish.order
    if wish.read_only:
        more["read_only"] = True
    return {"url": text, **more} if more else text


def _keep(address: RemoteAddress, pair: tuple[str, str] | None, wish: Wish) -> str | None:
    from lake.secrets import register, save, save_key_file

    if pair is not None:
        register(pair[1])
    reference = reference_for(endpoint_of(address) or "", address.bucket)
    wanted = "gs" if wish.key_file is not None else "s3"
    if address.scheme != wanted:
        raise UsageError(f"such keys are for {wanted}:// remotes", where=address.url)
    if wish.dry_run:
        return "your own store of secrets"
    if wish.key_file is not None:
        return save_key_file(reference, wish.key_file)
    assert pair is not None  # noqa: S101 - one of the two is there, or this is not called
    return save(reference, *pair)


def _keep_local_out_of_git(file: Path) -> None:
    """`.lake/.gitignore`, so that nobody commits what is one person's own."""
    from lake.fsio import write_file

    ignore = file.parent / ".gitignore"
    if file.parent.name == DIRECTORY and not ignore.exists():
        write_file(ignore, f"/{LOCAL_FILE}\n".encode())


def place_of(path: Path) -> str:
    """A settings file for people: relative to here where it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return shown(path)
