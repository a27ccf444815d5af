"""Which files make one sample, and what its items are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lake.errors import InputError, LakeError
from lake.importers.found import Draft, Found, collision, legal_id
from lake.importers.walk import OnError
from lake_schemas.names import safe_name

ORIGINAL = "original"
"""The value that keeps a file's own path where the id had to be made legal."""
LABEL = "label"
"""The value that keeps the parent directory's name on request."""

_PACKED = {"gz", "bz2", "xz", "zst"}

MediaTypeOf = Callable[[str], tuple[str, str | None]]

_BY_TYPE = {
    "application/json": "meta",
    "application/yaml": "meta",
    "application/toml": "meta",
    "text/plain": "text",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "application/vnd.apache.parquet": "table",
    "application/x-npy": "array",
    "application/x-npz": "arrays",
    "application/x-safetensors": "tensors",
    "model/mtl": "material",
}
_BY_FAMILY = {"image": "image", "audio": "audio", "video": "video", "model": "mesh"}


@dataclass(frozen=True, slots=True)
class Grouping:
    """How files become samples.

    Attributes:
        by: "stem": files of one directory that differ only by extension are one sample;
            "file": every file is one; "directory": all files of one directory are one.
        pattern: instead of `by`, a regular expression with the groups `id` and (optionally)
            `key`, held against the whole path.
        parent: "partition": the id is the parent directory's name and the stem, without what
            lies above; "label": the parent directory's name becomes the value `label`.
        keys: item names by extension, {"txt": "caption"}, in place of the default ones.
    """

    by: Literal["stem", "file", "directory"] = "stem"
    pattern: re.Pattern[str] | None = None
    parent: Literal["partition", "label"] | None = None
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_order(self) -> bool:
        """Whether files in order of path that belong together stand close together."""
        return self.pattern is None and self.parent != "partition"


def split_extension(name: str) -> tuple[str, str]:
    """Stem and extension of a file's name, the extension without its dot.

    >>> split_extension("scan.nii.gz"), split_extension("v1.2.png"), split_extension("README")
    (('scan', 'nii.gz'), ('v1.2', 'png'), ('README', ''))
    """
    stem, dot, ext = name.rpartition(".")
    if not dot or not stem:
        return name, ""
    if ext.lower() in _PACKED:
        inner, dot, middle = stem.rpartition(".")
        if dot and inner and re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,7}", middle):
            return inner, f"{middle}.{ext}"
    return stem, ext


def drafts(
    files: Iterable[Found], grouping: Grouping, media_type_of: MediaTypeOf, on_error: OnError
) -> Iterator[Draft]:
    """The samples that files in order of path make; lazily where the order allows it."""
    named = _Named(grouping, media_type_of)
    taken: dict[str, str] = {}
    for run in _runs(files, named) if grouping.in_order else [files]:
        for draft in _drafts(run, named, on_error):
            # Paths of different runs may become one id when they are made legal.
            other = taken.setdefault(draft.id.lower(), draft.where)
            if other == draft.where:
                yield draft
            else:
                on_error(collision(f"sample {draft.id}", other, draft.where))


class _Named:
    """Says of a file which sample and item it is."""

    def __init__(self, grouping: Grouping, media_type_of: MediaTypeOf) -> None:
        self.grouping = grouping
        self._media_type_of = media_type_of

    def stem(self, file: Found) -> str:
        """The path of the sample that a file belongs to, before it is made legal."""
        grouping = self.grouping
        if grouping.pattern is not None:
            found = grouping.pattern.fullmatch(file.rel)
            if found is None:
                raise InputError(
                    "the pattern does not match this file",
                    where=file.where,
                    hint="change --pattern, or leave the file out with --exclude",
                )
            return found["id"]
        folder, _, name = file.rel.rpartition("/")
        if grouping.by == "directory":
            if not folder:
                raise InputError(
                    "this file lies in no directory of a sample",
                    where=file.where,
                    hint="leave it out with --exclude",
                )
            return folder
        stem = split_extension(name)[0] if grouping.by == "stem" else name
        if grouping.parent == "partition":
            folder = folder.rpartition("/")[2]
        return f"{folder}/{stem}" if folder else stem

    def key(self, file: Found) -> str:
        """What the item is called."""
        stem, ext = split_extension(file.name)
        if self.grouping.pattern is not None and "key" in self.grouping.pattern.groupindex:
            found = self.grouping.pattern.fullmatch(file.rel)
            if found is not None and found["key"]:
                return safe_name(found["key"])
        if ext.lower() in self.grouping.keys:
            return self.grouping.keys[ext.lower()]
        if self.grouping.by == "directory":
            return safe_name(stem)
        type_ = self._media_type_of(file.name)[0]
        usual = _BY_TYPE.get(type_) or _BY_FAMILY.get(type_.partition("/")[0])
        return usual or safe_name(ext.lower().replace(".", "_") or "data")


def _runs(files: Iterable[Found], named: _Named) -> Iterator[list[Found]]:
    """Files in lists such that files of one sample are in one list, in order of path.

    In byte order the files of one stem are neighbours up to those whose stem goes on with a
    dot: a.jpg, a.mask.png, a.txt. So a list is what shares directory and name up to its first
    dot. A directory that sorts in between belongs to the list as well.
    """
    run: list[Found] = []
    prefix = ""
    for file in files:
        folder, slash, name = file.rel.rpartition("/")
        if not run or not file.rel.startswith(prefix):
            if run:
                yield run
            run = []
            if named.grouping.by == "directory":
                prefix = f"{folder}{slash}"
            else:
                prefix = f"{folder}{slash}{name.partition('.')[0]}."
                if "." not in name:
                    prefix = file.rel
        run.append(file)
    if run:
        yield run


def _drafts(files: Iterable[Found], named: _Named, on_error: OnError) -> Iterator[Draft]:
    members: dict[str, list[Found]] = {}
    stems: dict[str, str] = {}
    for file in files:
        try:
            stem = named.stem(file)
            id_ = legal_id(stem, file.where)
            # Ids that differ only by case cannot lie side by side in every file system.
            other = stems.setdefault(id_.lower(), stem)
            if other != stem:
                raise collision(f"sample {id_}", _first(members, id_).where, file.where)
            members.setdefault(id_, []).append(file)
        except LakeError as error:
            on_error(error)
    for id_, found in sorted(members.items()):
        draft = Draft(id_)
        if id_ != stems[id_.lower()]:
            draft.values[ORIGINAL] = stems[id_.lower()]
        try:
            _fill(draft, found, named)
        except LakeError as error:
            on_error(error)
        else:
            yield draft


def _first(members: Mapping[str, list[Found]], id_: str) -> Found:
    return next(found[0] for known, found in members.items() if known.lower() == id_.lower())


def _fill(draft: Draft, found: list[Found], named: _Named) -> None:
    keys = [named.key(file) for file in found]
    for file, key in zip(found, keys, strict=True):
        if keys.count(key) > 1:
            # Two pictures of one stem: each is called after its extension as well.
            ext = split_extension(file.name)[1].lower()
            key = safe_name(f"{key}_{ext}" if ext else key)
        for known, other in draft.parts.items():
            if known.lower() == key.lower():
                raise collision(f"item {key} of sample {draft.id}", other.where, file.where)
        draft.parts[key] = file
    if named.grouping.parent == "label":
        folder = found[0].rel.rpartition("/")[0]
        if not folder:
            raise InputError(
                "this file has no parent directory to be its label", where=found[0].where
            )
        draft.values[LABEL] = folder.rpartition("/")[2]
