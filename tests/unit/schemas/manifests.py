"""Hypothesis strategies for manifests, shared by the tests of the formats."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lake_schemas.blob import BlobRef, ChunkRef, Location
from lake_schemas.names import NAME, check_file, check_id, check_key
from lake_schemas.sample import MAX_INT, MIN_INT, SampleManifest

names = st.from_regex(NAME, fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
texts = st.text(max_size=20)
extensions = st.sampled_from(["jpeg", "nii.gz", "JPG", "x+y"])
media_types = st.sampled_from(["image/png", "application/octet-stream", "model/vnd.x+y", "a/b"])


def _legal(check: Any) -> Any:
    def passes(text: str) -> bool:
        try:
            check(text)
        except ValueError:
            return False
        return True

    return passes


ids = st.lists(names, min_size=1, max_size=4).map("/".join).filter(_legal(check_id))
path_parts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
paths = st.lists(path_parts, min_size=1, max_size=3).map("/".join).filter(_legal(check_file))
keys = st.lists(path_parts, min_size=1, max_size=3).map("/".join).filter(_legal(check_key))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(MIN_INT, MAX_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(
        ["no", "1", "1e5", "2024-01-31", "null", "~", "a: b", "- a", "#", "'", "\x85"]
    )
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)

places = st.lists(
    st.builds(Location, names, st.none() | keys), max_size=3, unique_by=lambda place: place.alias
).map(tuple)


@st.composite
def refs(draw: Any) -> BlobRef:
    """A BlobRef that says where its bytes are."""
    where = draw(places)
    return BlobRef(
        sha256=draw(digests),
        size=draw(st.integers(0, MAX_INT)),
        type=draw(media_types),
        ext=draw(st.none() | extensions),
        in_=where,
        file=draw(paths if not where else st.none() | paths),
        chunks=draw(st.none() | st.builds(ChunkRef, size=st.integers(1, MAX_INT), sha256=digests)),
    )


@st.composite
def samples(draw: Any) -> SampleManifest:
    """A manifest that can be written as text."""
    chosen = draw(st.lists(names, max_size=6, unique_by=str.lower))
    cut = draw(st.integers(0, len(chosen)))
    return SampleManifest(
        items={name: draw(refs()) for name in chosen[:cut]},
        values={name: draw(json_values) for name in chosen[cut:]},
    )
