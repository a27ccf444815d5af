"""Everything a process holds open while it moves blobs: stores, cache, ledger, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.transfer import forks
from lake.transfer.crew import Crew
from lake.transfer.health import Health
from lake.transfer.opened import Opened
from lake.transfer.place import Place
from lake.transfer.quarantine import Quarantine
from lake.transfer.stamps import Stamps

if TYPE_CHECKING:
    from lake.config import Config, Remote
    from lake.store.cache import Cache
    from lake.store.store import Store
    from lake.transfer.ledger import Ledger
    from lake.transfer.sources import Source
    from lake_schemas.blob import BlobRef

Connect = Callable[["Remote"], "Store"]


class Hub:
    """Opens what is asked for when it is first asked for, and keeps it for the process.

    Thread-safe. A forked child opens everything anew; a pickle holds the configuration only.

    Args:
        config: the user's configuration; by default what is found from the working folder.
        connect: opens the store of a remote; by default `lake.store.connect`.
        cache: a cache to use instead of the configured one.
        directory: where cache and ledger lie; by default what the configuration says.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        connect: Connect | None = None,
        cache: Cache | None = None,
        directory: Path | None = None,
    ) -> None:
        self._given = (config, connect, cache, directory)
        self._leaked: list[object] = []
        self._renew()
        forks.renew(self)

    def _renew(self) -> None:
        self._config, self._connect, self._cache, self._directory = self._given
        self._lock = threading.RLock()
        self._remotes: dict[tuple[Place, str], Opened] = {}
        self._orders: dict[tuple[Place, tuple[str, ...]], tuple[int, ...]] = {}
        self._opened: dict[tuple[object, ...], Opened] = {}
        self._configs: dict[Path, Config] = {}
        self._ledger: Ledger | None = None
        self.health = Health()
        self.quarantine = Quarantine()
        self.stamps = Stamps()
        self.crew = Crew()
        self.cache_failed = False

    def after_fork(self) -> None:
        """Start afresh in a forked child."""
        # Closing, or even collecting, what the parent has open could disturb the parent.
        self._leaked += [self._opened, self._ledger]
        self._renew()

    @property
    def config(self) -> Config:
        """The user's configuration."""
        if self._config is None:
            from lake.config import Config

            self._config = Config.load()
        return self._config

    @property
    def directory(self) -> Path:
        """Where this machine keeps what it remembers."""
        return self._directory or self.config.cache_path

    @property
    def cache(self) -> Cache:
        """The user's verified blobs on this machine."""
        if self._cache is None:
            with self._lock:
                if self._cache is None:
                    from lake.store.cache import Cache

                    path = self.directory / "blobs"
                    self._cache = Cache(path, max_size=self.config.cache_max_size)
        return self._cache

    @property
    def ledger(self) -> Ledger:
        """What this machine remembers of stores and files."""
        if self._ledger is None:
            with self._lock:
                if self._ledger is None:
                    from lake.transfer.ledger import Ledger

                    self._ledger = Ledger(self.directory / "ledger")
        return self._ledger

    def config_for(self, place: Place) -> Config:
        """The settings that apply to a dataset directory: those around the working folder; where
        that is in no project, those around the dataset."""
        if self._given[0] is not None or place.root is None or self.config.project is not None:
            return self.config
        found = self._configs.get(place.root)
        if found is None:
            from lake.config import Config

            found = self._configs[place.root] = Config.load(place.root)
        return found

    def remote(self, place: Place, alias: str) -> Remote:
        """The remote that `alias` means in `place`, for this user.

        Raises:
            ConfigError: nobody says what the alias is.
        """
        return self.config_for(place).remote(alias, declared=place.remotes, base=place.root)

    def store(self, remote: Remote) -> Store:
        """The open store of a remote, with retries."""
        return self.opened(remote).store

    def opened(self, remote: Remote, config: Config | None = None) -> Opened:
        """The one `Opened` of a remote's address in this process.

        Args:
            config: the settings that named it; by default those around the working folder.
        """
        # Who named it decides what it may be given: what a text named never shares a connection
        # with what the user typed.
        key = (remote.url, remote.credentials, remote.profile, remote.origin.by)
        with self._lock:
            found = self._opened.get(key)
            if found is None:
                connect = self._connect or partial(_connect, config=config or self.config)
                found = self._opened[key] = Opened(remote, connect)
            return found

    def reach(self, place: Place, alias: str) -> Opened:
        """The `Opened` that `alias` means in `place`."""
        found = self._remotes.get((place, alias))
        if found is None:
            found = self.opened(self.remote(place, alias), self.config_for(place))
            self._remotes[place, alias] = found
        return found

    def order(self, place: Place, aliases: tuple[str, ...]) -> tuple[int, ...]:
        """Positions of `aliases` in the order in which this user wants them tried."""
        found = self._orders.get((place, aliases))
        if found is None:
            ordered = self.config_for(place).order(aliases)
            found = tuple(aliases.index(alias) for alias in ordered if alias in aliases)
            self._orders[place, aliases] = found
        return found

    def sources(self, ref: BlobRef, place: Place) -> list[Source]:
        """Where the blob may be had, in the order in which it is tried."""
        from lake.transfer.sources import sources

        return sources(self, ref, place)

    def close(self) -> None:
        """Let go of stores and of the ledger; the next use opens them anew."""
        with self._lock:
            opened, self._opened, self._remotes = self._opened, {}, {}
            ledger, self._ledger = self._ledger, None
        for one in opened.values():
            one.close()
        if ledger is not None:
            ledger.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Hub], tuple[Any, ...]]:
        return (_rebuild, self._given)

    def __repr__(self) -> str:
        return f"Hub({len(self._opened)} remotes open)"


_default: Hub | None = None
_making = threading.Lock()


def default_hub() -> Hub:
    """The hub that this process shares."""
    global _default
    if _default is None:
        with _making:
            if _default is None:
                _default = Hub()
    return _default


def _connect(remote: Remote, config: Config) -> Store:
    from lake.store.connect import connect

    return connect(remote, config)


def _rebuild(
    config: Config | None, connect: Connect | None, cache: Cache | None, directory: Path | None
) -> Hub:
    if (connect, cache, directory) == (None, None, None) and config is None:
        return default_hub()
    return Hub(config, connect=connect, cache=cache, directory=directory)
