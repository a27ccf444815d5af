"""All settings that apply at one place, merged: the person's own before the project's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lake.config.files import ConfigFile, read
from lake.config.places import (
    DIRECTORY,
    LOCAL_FILE,
    PROJECT_FILE,
    cache_dir,
    find_project,
    user_file,
)
from lake.config.remote import Named, Remote
from lake.secrets import user_directory

if TYPE_CHECKING:
    from lake_schemas.config import UserConfig


class Setting(NamedTuple):
    """One row of `Config.explain`: what is set, to what, and by which `file:line`."""

    key: str
    value: str
    where: str


@dataclass(frozen=True)
class Config:
    """The settings that apply at one place.

    Attributes:
        files: those that are there, nearest to the person first: local, user, project.
        project: the directory that holds `.lake`, or None.
    """

    files: tuple[ConfigFile, ...] = ()
    project: Path | None = None

    @classmethod
    def load(cls, start: Path | None = None) -> Config:
        """Read the user's settings, and the project's around `start` (default: here).

        Raises:
            ConfigError: a file is unreadable or broken; names file and line.
        """
        project = find_project(start)
        asked = [(user_file(), Named.USER)]
        if project is not None:
            folder = project / DIRECTORY
            asked.insert(0, (folder / LOCAL_FILE, Named.LOCAL))
            asked.append((folder / PROJECT_FILE, Named.PROJECT))
        found = (read(path, by) for path, by in asked)
        return cls(tuple(file for file in found if file is not None), project)

    def remote(
        self,
        name_or_url: str,
        *,
        declared: Mapping[str, str] | None = None,
        base: Path | None = None,
        typed: bool = False,
    ) -> Remote:
        """The remote that an alias or URL stands for.

        An alias is looked up in: `replace` of the person's own files; the local file; `declared`;
        the user's file; the project's. An alias that a dataset declares keeps its meaning, so
        only what is about this very project (local file, `replace`) comes before it.

        Args:
            name_or_url: an alias, a URL, or a path with a "/" in it.
            declared: remotes that a dataset's descriptor declares, by alias.
            base: the dataset's directory, from which its relative folders start.
            typed: the user gave `name_or_url` in this very call. A URL may then hold
                `user:password@`, which goes to the user's own store of secrets.

        Raises:
            ConfigError: an unknown alias, or a URL that cannot be.
        """
        from lake.config.resolve import resolve

        return resolve(self, name_or_url, declared or {}, base, typed)

    def remotes(self) -> list[Remote]:
        """The remotes that the settings name, each alias once, in the user's order."""
        from lake.config.resolve import resolve

        names = dict.fromkeys(name for file in self.files for name in file.settings.remotes)
        return [resolve(self, name, {}, None, False) for name in self.order(names)]

    def order(self, aliases: Iterable[str]) -> list[str]:
        """Aliases in the order in which this person wants them asked.

        Those in the nearest `order` list come first, as listed; then the others by the `order`
        of their entry; equals keep the order given.
        """
        listed = next((file.settings.order for file in self.files if file.settings.order), [])
        place = {alias: index for index, alias in enumerate(listed)}

        def rank(alias: str) -> tuple[int, int]:
            if alias in place:
                return (0, place[alias])
            return (1, self._entry_order(alias))

        return sorted(aliases, key=rank)

    @property
    def default(self) -> str | None:
        """The alias that commands use when they are given none."""
        return next((file.settings.default for file in self.files if file.settings.default), None)

    @property
    def cache_path(self) -> Path:
        """The cache's directory: the environment, the user's own file, else the usual place."""
        own = self.user.cache.path if self.user is not None else None
        if own is None or os.environ.get("LAKE_CACHE_DIR"):
            return cache_dir()
        return user_directory() / Path(own).expanduser()

    @property
    def cache_max_size(self) -> int | None:
        """Bytes that the cache may take, where the user's own file says so."""
        return None if self.user is None else self.user.cache.max_bytes

    @property
    def user(self) -> UserConfig | None:
        """The user's own settings; they alone grant trust and place the cache."""
        from lake_schemas.config import UserConfig

        found = (file.settings for file in self.files if file.by is Named.USER)
        return next((one for one in found if isinstance(one, UserConfig)), None)

    @property
    def trusted_endpoints(self) -> frozenset[str]:
        """Endpoints in the user's `trust.endpoints`, as written there."""
        return frozenset(self.user.trust.endpoints) if self.user is not None else frozenset()

    @property
    def trusted_remotes(self) -> frozenset[str]:
        """URLs in the user's `trust.remotes`."""
        return frozenset(self.user.trust.remotes) if self.user is not None else frozenset()

    def explain(self) -> list[Setting]:
        """Every setting in force, and the `file:line` that said so; what it overrides is left
        out."""
        rows: dict[str, Setting] = {}
        for file in self.files:
            for keys, value in _stated(file):
                key = ".".join(keys)
                rows.setdefault(key, Setting(key, value, file.where(*keys)))
        if os.environ.get("LAKE_CACHE_DIR"):
            rows["cache.path"] = Setting("cache.path", str(cache_dir()), "LAKE_CACHE_DIR")
        elif "cache.path" not in rows:
            rows["cache.path"] = Setting("cache.path", str(cache_dir()), "the default")
        return [rows[key] for key in sorted(rows)]

    def _entry_order(self, alias: str) -> int:
        for file in self.files:
            entry = file.settings.remotes.get(alias)
            if entry is not None and entry.order is not None:
                return entry.order
        return 0


def _stated(file: ConfigFile) -> Iterator[tuple[tuple[str, ...], str]]:
    """What a file says and has the right to say, by path of keys, as text."""
    said = file.settings.model_dump(exclude_defaults=True)
    for key, value in said.items():
        if file.by is not Named.USER and key in ("trust", "cache"):
            continue  # what a checkout carries grants no trust and places no cache
        if not isinstance(value, dict):
            yield (key,), _text(value)
            continue
        for name, inner in value.items():
            if isinstance(inner, dict):
                more = {field: v for field, v in inner.items() if field != "url" and v}
                shown = [inner["url"], *(f"{field}={_text(v)}" for field, v in more.items())]
                yield (key, name), " ".join(shown)
            else:
                yield (key, name), _text(inner)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
