"""The remotes that a stage names, and what they are called in the dataset at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lake.dataset import Dataset, Item
from lake.errors import ConfigError, ConflictError
from lake.transfer import Hub, Place, default_hub

if TYPE_CHECKING:
    from lake.config import Remote
    from lake_schemas.blob import BlobRef
    from lake_schemas.descriptor import Descriptor


@dataclass(frozen=True)
class Targets:
    """Remotes, each under the alias that manifests shall name; picklable."""

    hub: Hub
    remotes: tuple[Remote, ...]
    root: Path
    _places: dict[Place, Place] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, dataset: Dataset, names: Sequence[str], *, typed: bool) -> Targets:
        """The remotes called `names` (aliases or URLs); the default one if there are none.

        Raises:
            ConfigError: an alias is unknown, or there is no default remote.
        """
        hub = default_hub() if dataset.access is None else dataset.access.hub
        if not names:
            default = hub.config.default
            if default is None:
                raise ConfigError(
                    "no remote was named, and there is no default one",
                    hint="-r ALIAS_OR_URL, or once: lake remote default ALIAS",
                )
            names = [default]
        found: dict[str, Remote] = {}
        declared = dict(dataset.descriptor.remotes)
        root = dataset.root or Path.cwd()
        for name in names:
            remote = hub.config.remote(name, declared=declared, base=root, typed=typed)
            found.setdefault(remote.alias, remote)
            # So that a second new URL gets another alias.
            declared.setdefault(remote.alias, remote.url_from(root))
        return cls(hub, tuple(found.values()), root)

    def declared_in(self, descriptor: Descriptor) -> Descriptor:
        """The descriptor with these remotes declared."""
        remotes = self._added(descriptor.remotes, self.root)
        return descriptor.model_copy(update={"remotes": remotes})

    def item(self, item: Item, ref: BlobRef) -> Item:
        """The item with a ref that may name these remotes."""
        place = self._place(item.place or Place(self.root))
        with_ref = getattr(item, "with_ref", None)
        return with_ref(ref, place) if with_ref is not None else Item.from_ref(ref, place)

    def _place(self, place: Place) -> Place:
        """The place in which the aliases of these remotes mean what they mean here."""
        known = self._places.get(place)
        if known is None:
            known = Place(place.root, self._added(place.remotes, place.root or self.root))
            for remote in self.remotes:
                if self.hub.reach(known, remote.alias).url != remote.url:
                    raise ConflictError(
                        f"the alias {remote.alias} means two remotes in these datasets",
                        where=str(place.root),
                        hint="rename it in one dataset.yaml, with its manifests",
                    )
            self._places[place] = known
        return known

    def _added(self, known: Mapping[str, str], root: Path) -> dict[str, str]:
        new = {r.alias: r.url_from(root) for r in self.remotes if r.alias not in known}
        return {**known, **new}
