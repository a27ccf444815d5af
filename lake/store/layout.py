"""How lake lays objects out in a store: blobs under their digest, and one small lake.json.

```
<prefix>/sha256/9f/9f86d0...    a blob
<prefix>/lake.json              which layout this is, and the store's own id; written once
```
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass

from lake.errors import NotFound, RemoteError, Unsupported
from lake.store.body import BytesBody
from lake.store.store import Store

LAYOUT = 1
LAYOUT_KEY = "lake.json"

_BLOB = re.compile(r"sha256/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_ID = re.compile(r"[0-9a-f]{32}")
_MAX = 1 << 16
_READS = 5
_PAUSE = 0.05


def blob_key(sha256: str) -> str:
    """The key of the blob with this digest (64 lower-case hex digits).

    >>> blob_key("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    'sha256/9f/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
    """
    return f"sha256/{sha256[:2]}/{sha256}"


def digest_of(key: str) -> str | None:
    """The digest that a key is the content address of, or None."""
    found = _BLOB.fullmatch(key)
    return found[2] if found else None


@dataclass(frozen=True, slots=True)
class LakeFile:
    """What lake.json says.

    Attributes:
        layout: version of the layout of keys.
        id: of this store, 32 hex digits, drawn once; what is known of it is filed under it.
        generation: raised whenever blobs may have been removed, so that older knowledge is void.
    """

    layout: int
    id: str
    generation: int = 0

    def dump(self) -> bytes:
        """The text of lake.json."""
        fields = {"generation": self.generation, "id": self.id, "layout": self.layout}
        return (json.dumps(fields, sort_keys=True, indent=2) + "\n").encode()


def read_layout(store: Store) -> LakeFile | None:
    """What the store's lake.json says, or None where there is none.

    Raises:
        RemoteError: there is one that is not lake's, or is damaged.
        Unsupported: it is of a newer layout.
    """
    try:
        with store.get(LAYOUT_KEY) as stream:
            if stream.size > _MAX:
                raise _damaged(store)
            data = stream.read()
    except NotFound:
        return None
    return _parse(data, store)


def ensure_layout(store: Store) -> LakeFile:
    """What the store's lake.json says, after writing one where there was none.

    Many may call it at once on a new store: all come to agree on one id.
    """
    found = _read_while_others_write(store)
    if found is not None:
        return found
    drawn = LakeFile(LAYOUT, uuid.uuid4().hex)
    store.put(LAYOUT_KEY, BytesBody(drawn.dump()))
    store.flush()
    # Read back whatever lies there now: another may have been first, and not every server
    # honours a conditional put.
    return _read_while_others_write(store) or drawn


def _read_while_others_write(store: Store) -> LakeFile | None:
    # Where conditions are not honoured, one who writes late can tear what another just reads.
    for left in range(_READS, 0, -1):
        try:
            return read_layout(store)
        except RemoteError as error:
            if left == 1 or not error.transient:
                raise
            time.sleep(_PAUSE)
    return None


def _parse(data: bytes, store: Store) -> LakeFile:
    try:
        fields = json.loads(data)
        found = LakeFile(fields["layout"], fields["id"], fields.get("generation", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(store) from None
    numbers = type(found.layout) is int and type(found.generation) is int
    if not numbers or not isinstance(found.id, str) or not _ID.fullmatch(found.id):
        raise _damaged(store)
    if found.layout > LAYOUT:
        raise Unsupported(
            f"the store has layout {found.layout}, this lake knows up to {LAYOUT}",
            where=store.url,
            hint="upgrade lake: pip install -U lake-datasets",
        )
    return found


def _damaged(store: Store) -> RemoteError:
    return RemoteError(
        f"{LAYOUT_KEY} is not one that lake wrote",
        where=store.url,
        hint="use another prefix, or move that object away",
    )
