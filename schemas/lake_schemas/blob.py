"""The pointer in a manifest: what a blob is, and where it can be had."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from lake_schemas.errors import FormatError
from lake_schemas.names import NAME, check_alias, check_file, check_key

DIGEST = "[0-9a-f]{64}"
MEDIA_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
EXT = r"[A-Za-z0-9_+-]{1,16}(?:\.[A-Za-z0-9_+-]{1,16}){0,3}"
MAX_SIZE = 2**63 - 1
MAX_LOCATIONS = 64

Digest = Annotated[str, Field(pattern=f"^{DIGEST}$")]
"""A sha256 as 64 lower-case hex digits."""
MediaType = Annotated[str, Field(pattern=f"^{MEDIA_TYPE}$")]
"""type/subtype in lower case, without parameters."""
Ext = Annotated[str, Field(pattern=f"^{EXT}$")]
"""A file name's extension without its leading dot: "jpeg", "nii.gz"."""


@dataclass(frozen=True, slots=True)
class Location:
    """One remote that holds a blob: under its content address, or under a `key` of its own.

    In text a plain alias, or an object of one pair, alias to key.
    """

    alias: str
    key: str | None = None

    def __post_init__(self) -> None:
        check_alias(self.alias)
        if self.key is not None:
            check_key(self.key)

    def to_json(self) -> str | dict[str, str]:
        """As the text has it.

        >>> Location("main").to_json(), Location("legacy", "2019/42.tif").to_json()
        ('main', {'legacy': '2019/42.tif'})
        """
        return self.alias if self.key is None else {self.alias: self.key}


def _locations(value: object) -> tuple[Location, ...]:
    if isinstance(value, list | tuple):
        return plain_places(
            tuple([place if type(place) is str else _location(place) for place in value])
        )
    raise FormatError("locations are a list of aliases, or of pairs {alias: key}")


@functools.lru_cache(maxsize=1024)
def plain_places(values: tuple[str | Location, ...]) -> tuple[Location, ...]:
    """Locations from aliases and locations, each remote once."""
    # A dataset's items are in few remotes, in few combinations: nearly always remembered.
    if len(values) > MAX_LOCATIONS:
        raise FormatError(f"a blob is in more than {MAX_LOCATIONS} remotes")
    places = tuple(Location(place) if isinstance(place, str) else place for place in values)
    if len({place.alias for place in places}) < len(places):
        raise FormatError("a remote is named twice in one item")
    return places


def _location(value: object) -> Location:
    if isinstance(value, Location):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((alias, key),) = value.items()
        if isinstance(alias, str) and isinstance(key, str):
            return Location(alias, key)
    raise FormatError("a location is an alias, or one pair {alias: key}")


_ALIAS_SCHEMA = {"type": "string", "pattern": f"^{NAME}$"}
_LOCATIONS_SCHEMA = {
    "title": "In",
    "description": "Remotes that hold the blob, in the order in which to try them: an alias "
    "where it lies under its content address, {alias: key} where under a key of its own",
    "type": "array",
    "maxItems": MAX_LOCATIONS,
    "items": {
        "anyOf": [
            _ALIAS_SCHEMA,
            {
                "type": "object",
                "patternProperties": {f"^{NAME}$": {"type": "string", "minLength": 1}},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    },
}
Locations = Annotated[
    tuple[Location, ...], PlainValidator(_locations), WithJsonSchema(_LOCATIONS_SCHEMA)
]


class ChunkRef(BaseModel):
    """Digests of the chunks of a big blob, so that a part of it can be verified alone.

    `size` is the bytes in every chunk but the last; `sha256` names a sidecar blob in the same
    remotes: the chunks' raw 32-byte digests, one after the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=1, le=MAX_SIZE, strict=True)]
    sha256: Digest


class BlobRef(BaseModel):
    """Immutable bytes by their digest, with size, media type, and where they are.

    `ext` is only there where the file's extension is not the usual one of its media type.
    A ref in memory may have neither `in_` nor `file` (its bytes are still on their way); in the
    text of a manifest one of them is required.

    >>> ref = BlobRef(sha256="9f" * 32, size=812, type="image/png").with_location("main")
    >>> ref.aliases
    ('main',)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"anyOf": [{"required": ["in"]}, {"required": ["file"]}]},
    )

    sha256: Digest
    size: Annotated[int, Field(ge=0, le=MAX_SIZE, strict=True, description="Bytes")]
    type: MediaType
    ext: Ext | None = None
    in_: Locations = Field(default=(), alias="in")
    file: (
        Annotated[
            str,
            AfterValidator(check_file),
            Field(min_length=1, description="Path of a file in the dataset directory"),
        ]
        | None
    ) = None
    chunks: ChunkRef | None = None

    @property
    def aliases(self) -> tuple[str, ...]:
        """The remotes that hold the blob, in order."""
        return tuple(place.alias for place in self.in_)

    @property
    def placed(self) -> bool:
        """Whether the ref says where the bytes are, as the text of a manifest requires."""
        return bool(self.in_) or self.file is not None

    @property
    def content(self) -> BlobRef:
        """The same blob without its whereabouts."""
        return self.model_copy(update={"in_": (), "file": None, "chunks": None})

    def location(self, alias: str) -> Location | None:
        """Where in one remote the blob is, or None if the ref does not name that remote."""
        return next((place for place in self.in_ if place.alias == alias), None)

    def with_location(self, alias: str, key: str | None = None) -> BlobRef:
        """Also in `alias`, last in order; where it was named already, at its old place."""
        new = Location(alias, key)
        if alias in self.aliases:
            places = tuple(new if place.alias == alias else place for place in self.in_)
        else:
            places = (*self.in_, new)
        return self.model_copy(update={"in_": plain_places(places)})

    def without_location(self, alias: str) -> BlobRef:
        """No longer in `alias`."""
        places = tuple(place for place in self.in_ if place.alias != alias)
        return self.model_copy(update={"in_": places})

    def with_file(self, path: str | None) -> BlobRef:
        """With its bytes in a file of the dataset directory, or in none."""
        return self.model_copy(update={"file": None if path is None else check_file(path)})
