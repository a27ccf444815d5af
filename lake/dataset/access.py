"""Where the refs of one dataset directory are meant, and the hub through which bytes come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lake.transfer import Fetcher, Hub, Place


class Access:
    """A place and a hub: all that an item needs, beside its ref, to give its bytes.

    One per dataset directory, shared by all its samples. Pickled, it is a place and, where the
    hub was made from a configuration of the caller's own, that hub; threads and connections are
    never part of it.
    """

    __slots__ = ("_fetcher", "_hub", "place")

    def __init__(self, place: Place, hub: Hub | None = None) -> None:
        self.place = place
        self._hub = hub
        self._fetcher: Fetcher | None = None

    @property
    def given_hub(self) -> Hub | None:
        """The hub that was given; None where the process's own serves."""
        return self._hub

    @property
    def hub(self) -> Hub:
        """The hub; the process's own unless another was given."""
        if self._hub is not None:
            return self._hub
        from lake.transfer import default_hub

        return default_hub()

    @property
    def fetcher(self) -> Fetcher:
        """The fetcher on that hub."""
        if self._fetcher is None:
            from lake.transfer import Fetcher

            self._fetcher = Fetcher(self.hub)
        return self._fetcher

    def at(self, place: Place) -> Access:
        """The same hub, refs meant elsewhere."""
        return self if place == self.place else Access(place, self._hub)

    def __reduce__(self) -> tuple[type[Access], tuple[Place, Hub | None]]:
        return (Access, (self.place, self._hub))
