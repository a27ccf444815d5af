"""Objects that lie in remotes under keys of their own: who they are, read once each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import BlobUnavailable, ConfigError, InputError, LakeError
from lake.importers.found import Found
from lake.progress import Progress
from lake.store.layout import LAYOUT_KEY, digest_of
from lake.transfer import Place
from lake.transfer.ledger import FileStamp
from lake_schemas.blob import Location
from lake_schemas.errors import FormatError
from lake_schemas.names import check_key
from lake_schemas.remote import RemoteAddress, split_credentials

if TYPE_CHECKING:
    from lake.config import Remote
    from lake.store.store import Store
    from lake.transfer import Hub


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object is, and all the places where it lies."""

    sha256: str
    size: int
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """One object in one remote."""

    remote: Remote
    key: str


class Objects:
    """Finds the digests of objects, many at once, each read once and remembered.

    Args:
        hub: opens the remotes.
        out: the dataset's directory, from which relative folders start.
        remote: the remote that was listed; None where lists of URLs say where objects lie.
        jobs: objects read at once.
        progress: told of the bytes that are read.
    """

    def __init__(
        self,
        hub: Hub,
        out: Path,
        *,
        remote: Remote | None = None,
        jobs: int | None = None,
        progress: Progress,
    ) -> None:
        self._hub = hub
        self._out = out
        self._jobs = jobs
        self._progress = progress
        self._bucket = remote
        self._remotes: dict[str, Remote] = {}
        self._by_base: dict[str, Remote] = {}
        if remote is not None:
            self._remotes[remote.alias] = remote

    @property
    def declared(self) -> dict[str, str]:
        """The remotes met so far, as the descriptor declares them."""
        return self.declared_from(self._out)

    def declared_from(self, root: Path) -> dict[str, str]:
        """The same, as a file in `root` would say it."""
        return {a: remote.url_from(root) for a, remote in self._remotes.items()}

    def place(self) -> Place:
        """Where the refs are meant."""
        return Place(self._out, self.declared)

    def listed(self) -> Iterator[Found]:
        """All objects of the remote, in order of key, without hidden ones and lake's own."""
        assert self._bucket is not None  # noqa: S101 - the caller gave one
        for info in self._store(self._bucket).list():
            if any(part.startswith(".") for part in info.key.split("/")):
                continue
            if info.key.endswith("/") or info.key == LAYOUT_KEY or digest_of(info.key):
                continue
            yield Found(info.key, info.size, modified=info.modified)

    def identify(self, found: Sequence[Found]) -> list[Identity | LakeError]:
        """The identity of each, or why it has none."""
        answers: list[Identity | LakeError | None] = [None] * len(found)
        stamps = {
            name: stamp for each in found if (stamp := _stamp(each)) and (name := self._name(each))
        }
        known = self._hub.ledger.digests(stamps)
        fresh: list[tuple[str, FileStamp, str]] = []
        began = time.time_ns()

        def look(number: int) -> None:
            each = found[number]
            try:
                sha256 = known.get(self._name(each))
                size = each.size
                spots = self._spots(each)
                if sha256 is None:
                    sha256, size = self._read(each, spots)
                    stamp = _stamp(each)
                    if stamp is not None:
                        fresh.append((self._name(each), stamp, sha256))
                locations = tuple(Location(spot.remote.alias, spot.key) for spot in spots)
                answers[number] = Identity(sha256, size, locations)
            except LakeError as error:
                answers[number] = error
            self._progress.advance(items=1)

        threads = self._jobs or 16
        self._hub.crew.run(range(len(found)), look, threads=min(threads, len(found)))
        self._hub.ledger.remember_digests(fresh, hashed_at_ns=began)
        return [a if a is not None else InputError("not looked at") for a in answers]

    def _spots(self, found: Found) -> list[Spot]:
        if self._bucket is not None:
            return [Spot(self._bucket, _legal(found.rel, found.where))]
        spots: list[Spot] = []
        for url in found.urls:
            remote, key = self._of_url(url, found.where)
            if remote.alias not in [spot.remote.alias for spot in spots]:
                spots.append(Spot(remote, key))
        return spots

    def _of_url(self, url: str, where: str) -> tuple[Remote, str]:
        """The remote and the key that a URL of one object stands for.

        A password in it is left out: a list in a dataset hands over no credentials.
        """
        try:
            address = RemoteAddress.parse(split_credentials(url)[0])
            folder, _, name = address.prefix.rpartition("/")
            base = replace(address, prefix=folder)
        except FormatError as error:
            raise InputError(error.what, where=where, hint=error.hint) from None
        remote = self._by_base.get(base.url)
        if remote is None:
            remote = self._hub.config.remote(
                base.url, declared=self.declared, base=self._out, typed=False
            )
            self._remotes.setdefault(remote.alias, remote)
            self._by_base[base.url] = remote
        return remote, _legal(name, where)

    def _read(self, found: Found, spots: Sequence[Spot]) -> tuple[str, int]:
        attempts: list[tuple[str, str]] = []
        hint: str | None = None
        for spot in spots:
            try:
                state, size = hashlib.sha256(), 0
                with self._store(spot.remote).get(spot.key) as stream:
                    for chunk in stream:
                        state.update(chunk)
                        size += len(chunk)
                        self._progress.advance(size=len(chunk))
                if found.size not in (-1, size):
                    raise InputError(
                        f"listed with {found.size} bytes, read with {size}", where=found.where
                    )
                return state.hexdigest(), size
            except LakeError as error:
                if len(spots) == 1:
                    raise
                attempts.append((spot.remote.alias, error.what))
                hint = hint or error.hint
        raise BlobUnavailable(
            "no remote gave this object", attempts=attempts, where=found.where, hint=hint
        )

    def _store(self, remote: Remote) -> Store:
        return self._hub.store(remote)

    def _name(self, found: Found) -> str:
        """Under what the ledger files an object; never the name of a file."""
        return f"{self._bucket.url if self._bucket else ''}#{found.rel}"


def bucket_remote(
    hub: Hub, text: str, alias: str | None, out: Path, declared: Mapping[str, str]
) -> Remote:
    """The remote that `--from URL` names, by the alias asked for.

    Args:
        hub: knows the settings.
        text: the URL.
        alias: what it shall be called; None for what it is called already, or a new name.
        out: the dataset's directory.
        declared: the remotes that the dataset names already.

    Raises:
        ConfigError: the alias that was asked for means another remote already.
    """
    remote = hub.config.remote(text, declared=declared, base=out, typed=True)
    if alias is None or alias == remote.alias:
        return remote
    try:
        other = hub.config.remote(alias, declared=declared, base=out)
    except ConfigError:
        return replace(remote, alias=alias)
    if other.url != remote.url:
        raise ConfigError(
            f"the alias {alias} means another remote already",
            where=other.origin.where,
            hint="choose another with --alias",
        )
    return replace(remote, alias=alias)


def _legal(key: str, where: str) -> str:
    try:
        return check_key(key)
    except FormatError as error:
        raise InputError(error.what, where=where, hint=error.hint) from None


def _stamp(found: Found) -> FileStamp | None:
    if found.modified is None or found.size < 0:
        return None
    modified = int(found.modified * 1_000_000_000)
    return FileStamp(0, found.size, modified, modified)
