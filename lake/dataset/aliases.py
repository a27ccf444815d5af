"""Remotes under one set of names, wherever the refs that name them come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lake_schemas.remote import RemoteAddress

if TYPE_CHECKING:
    from lake.transfer import Place
    from lake_schemas.blob import BlobRef


def moved(url: str, source: Path | None, target: Path) -> str:
    """A remote's URL as a descriptor in `target` must write it to mean what it does in `source`.

    Only relative folders change.
    """
    address = RemoteAddress.parse(url)
    if source is None or not address.is_relative:
        return address.url
    folder = os.path.normpath(os.path.realpath(source) + "/" + address.path)
    relative = Path(os.path.relpath(folder, os.path.realpath(target))).as_posix()
    return RemoteAddress.parse(relative).url


class Aliases:
    """The remotes of a descriptor that is being written.

    Datasets that are joined may call one remote by two names, or two remotes by one. Refs are
    rewritten so that each alias means one remote; those that are new are added.

    Attributes:
        remotes: aliases and URLs so far.

    >>> aliases = Aliases(Path("/data/out"), {"main": "s3://a/x"})
    >>> from lake.transfer import Place
    >>> aliases.names(Place(Path("/data/in"), {"main": "s3://b/y", "first": "s3://a/x"}))
    {'main': 'main-2', 'first': 'main'}
    """

    def __init__(self, root: Path, remotes: Mapping[str, str]) -> None:
        self._root = root
        self.remotes = dict(remotes)
        self._names: dict[Place, dict[str, str]] = {}

    def names(self, place: Place) -> dict[str, str]:
        """For each alias of `place` what the same remote is called here."""
        known = self._names.get(place)
        if known is None:
            known = {alias: self._name(alias, url, place) for alias, url in place.remotes.items()}
            self._names[place] = known
        return known

    def _name(self, alias: str, url: str, place: Place) -> str:
        here = moved(url, place.root, self._root)
        if self.remotes.get(alias) == here:
            return alias
        for other, known in self.remotes.items():
            if known == here:
                return other
        name, number = alias, 1
        while name in self.remotes:
            number += 1
            name = f"{alias[:58]}-{number}"
        self.remotes[name] = here
        return name

    def rewritten(self, ref: BlobRef, place: Place) -> BlobRef:
        """The ref with aliases as they are called here; those that `place` does not declare
        mean the same everywhere."""
        if not ref.in_:
            return ref
        used = [location.alias for location in ref.in_ if location.alias in place.remotes]
        names = self.names(place) if used else {}
        if all(names[alias] == alias for alias in used):
            return ref
        changed = ref.model_copy(update={"in_": ()})
        for location in ref.in_:
            name = names.get(location.alias, location.alias)
            changed = changed.with_location(name, location.key)
        return changed
