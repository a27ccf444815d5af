"""The underfolder layout: `data/000000_image.png`, and files beside `data` that all share.

A file `000000_image.png.remote` holds no picture but a JSON list of URLs where it lies, as
pipelime writes after an upload.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from lake.errors import InputError, LakeError
from lake.fsio import os_errors
from lake.importers.found import Draft, Found, collision, legal_id
from lake.importers.walk import Globs, OnError, walk
from lake_schemas.names import safe_name

DATA = "data"
LIST = ".remote"
_NAME = re.compile(r"(?P<index>\d+)_(?P<key>[^.]+)(?P<ext>\..*)?")


def is_underfolder(root: Path) -> bool:
    """Whether a directory looks like one: `data` holds files called NUMBER_KEY.EXT only."""
    try:
        with os.scandir(root / DATA) as entries:
            names = [e.name for _, e in zip(range(1000), entries, strict=False)]
    except OSError:
        return False
    seen = [name for name in names if not name.startswith(".")]
    return bool(seen) and all(_NAME.fullmatch(name) for name in seen)


def shared_items(root: Path, globs: Globs, on_error: OnError) -> Draft:
    """The files beside `data`, which every sample shares."""
    draft = Draft("shared")
    for file in _files(root, globs, on_error, below=False):
        _add(draft, safe_name(file.name.partition(".")[0]), file, on_error)
    return draft


def samples(root: Path, globs: Globs, on_error: OnError) -> Iterator[Draft]:
    """The samples in the order of their numbers; the ids are the numbers as they are written,
    filled up with zeros to the width of the longest.

    Numbers of one width, the usual case, are read lazily; others are held and sorted first.
    """
    widths = _widths(root / DATA)
    named = _numbered(_files(root / DATA, globs, on_error, below=True), on_error)
    if len(widths) > 1:
        named = iter(sorted(named, key=lambda pair: (int(pair[0]["index"]), pair[1].rel)))
    width = max(widths, default=0)
    for _, group in itertools.groupby(named, key=lambda pair: int(pair[0]["index"])):
        draft: Draft | None = None
        for name, file in group:
            if draft is None:
                draft = Draft(legal_id(name["index"].zfill(width), file.where))
            _add(draft, safe_name(name["key"]), file, on_error)
        if draft is not None:
            yield draft


def _widths(folder: Path) -> set[int]:
    with os_errors(folder), os.scandir(folder) as entries:
        found = (_NAME.fullmatch(entry.name) for entry in entries)
        return {len(name["index"]) for name in found if name is not None}


def _numbered(files: Iterable[Found], on_error: OnError) -> Iterator[tuple[re.Match[str], Found]]:
    for file in files:
        name = _NAME.fullmatch(file.name)
        if name is not None:
            yield name, file
            continue
        on_error(
            InputError(
                "not called NUMBER_KEY.EXT",
                where=file.where,
                hint="leave it out with --exclude, or read the directory with --format tree",
            )
        )


def _files(folder: Path, globs: Globs, on_error: OnError, *, below: bool) -> Iterator[Found]:
    if not below:
        globs = Globs(globs.include, [*globs.exclude, DATA, f"{DATA}/*"])
    for file in walk(folder, globs, on_error):
        if "/" in file.rel:
            continue  # pipelime reads no deeper either
        if not file.rel.endswith(LIST):
            yield file
            continue
        try:
            yield Found(file.rel.removesuffix(LIST), -1, file.path, _urls(file))
        except LakeError as error:
            on_error(error)


def _urls(file: Found) -> tuple[str, ...]:
    with os_errors(file.where):
        data = Path(file.where).read_bytes() if file.size < 1 << 20 else b""
    try:
        urls = orjson.loads(data)
    except ValueError:
        urls = None
    if not (isinstance(urls, list) and urls and all(isinstance(url, str) for url in urls)):
        raise InputError("this is no JSON list of URLs", where=file.where)
    return tuple(urls)


def _add(draft: Draft, key: str, file: Found, on_error: OnError) -> None:
    for known, other in draft.parts.items():
        if known.lower() == key.lower():
            on_error(collision(f"item {key} of sample {draft.id}", other.where, file.where))
            return
    draft.parts[key] = file
