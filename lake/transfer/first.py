"""The first good source: try remotes in order until one serves, and tell what each one said."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from lake.errors import (
    AccessDenied,
    BlobUnavailable,
    IntegrityError,
    LakeError,
    NotFound,
    RemoteError,
)
from lake.transfer.sources import MANY_TRIES, Spot, spots

if TYPE_CHECKING:
    from lake.store.store import Store
    from lake.transfer.hub import Hub
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef

T = TypeVar("T")

log = logging.getLogger("lake.transfer")


class Answers:
    """What the sources of one blob said, by name, in the order tried."""

    def __init__(self) -> None:
        self._said: dict[str, LakeError] = {}

    def add(self, source: str, error: LakeError) -> None:
        """`source` did not serve, because of `error`."""
        self._said[source] = error

    def unavailable(self, ref: BlobRef) -> BlobUnavailable:
        """The one error that lists them all."""
        return BlobUnavailable(
            "no source served the blob" if self._said else "the blob has no source",
            where=f"{ref.sha256} ({ref.size} bytes, {ref.type})",
            attempts=[(name, error.what) for name, error in self._said.items()],
            sha256=ref.sha256,
            hint=self._hint(),
        )

    def _hint(self) -> str:
        said = self._said.values()
        for error in said:
            if error.hint:
                return error.hint
        if any(isinstance(error, RemoteError) and error.transient for error in said):
            return "run it again when that remote can be reached; lake remote check tests it"
        if not said:
            return "name a remote that has it, or put its file back"
        return "bring a good copy to one of these places; lake verify DATASET --repair spreads it"


def first_good(
    hub: Hub,
    ref: BlobRef,
    place: Place,
    use: Callable[[Spot, Store], T],
    answers: Answers | None = None,
) -> T:
    """What `use(spot, store)` returns for the first remote for which it does not raise.

    Remotes are asked quickly at first, and with all patience only when none served: a hiccup of
    one is no reason to wait while another is well.

    Args:
        answers: what other sources said before; for the final error.

    Raises:
        BlobUnavailable: no remote served; it says what each one answered.
    """
    answers = answers or Answers()
    failed: list[tuple[str, LakeError]] = []
    hopeful = []
    for spot in spots(hub, ref, place, failed):
        known = hub.quarantine.why(spot.opened.url, ref.sha256)
        if known is not None:
            answers.add(spot.alias, IntegrityError(f"{known} (not asked again)"))
        elif not hub.health.answers(spot.opened.url):
            last = hub.health.why(spot.opened.url)
            said = "it did not answer before" if last is None else last.what
            answers.add(spot.alias, RemoteError(f"{said} (not asked again yet)", transient=True))
        else:
            hopeful.append(spot)
    patient: list[Spot] = []
    if len(hopeful) == 1:
        hopeful[0].tries = MANY_TRIES
    for spot in hopeful:
        try:
            store = spot.opened.store if len(hopeful) == 1 else spot.opened.quick
            return _served(hub, spot, use(spot, store))
        except LakeError as error:
            _note(hub, ref, spot, error, answers, patient=len(hopeful) == 1)
            if len(hopeful) > 1 and isinstance(error, RemoteError) and error.transient:
                patient.append(spot)
    for spot in patient:
        try:
            return _served(hub, spot, use(spot, spot.opened.store))
        except LakeError as error:
            _note(hub, ref, spot, error, answers, patient=True)
    for alias, why in failed:
        answers.add(alias, why)
    raise answers.unavailable(ref)


def _served(hub: Hub, spot: Spot, result: T) -> T:
    hub.health.worked(spot.opened.url)
    return result


def _note(
    hub: Hub, ref: BlobRef, spot: Spot, error: LakeError, answers: Answers, *, patient: bool
) -> None:
    """Draw the lesson from a failure."""
    url = spot.opened.url
    if isinstance(error, IntegrityError):
        hub.health.worked(url)
        hub.quarantine.add(url, ref.sha256, error.what)
        _unlearn(hub, spot, ref)
    elif isinstance(error, NotFound):
        hub.health.worked(url)
        _unlearn(hub, spot, ref)
    elif isinstance(error, RemoteError):
        # Some stores say "denied" for one object that is not there: it takes several to be dead.
        hub.health.failed(url, error, fatal=patient and error.transient)
        kind = "denied" if isinstance(error, AccessDenied) else "failed"
        log.debug("%s %s: %s", url, kind, error.what)
    answers.add(spot.alias, error)


def _unlearn(hub: Hub, spot: Spot, ref: BlobRef) -> None:
    with contextlib.suppress(LakeError):
        store = spot.opened.key()
        if store is not None:
            hub.ledger.forget_known(store, [ref.sha256])
