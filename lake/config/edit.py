"""Changing a settings file: one entry at a time, keeping its comments and its order.

The text is edited by lines; when the result does not read as intended (flow style, odd
indentation), the file is written anew in canonical form. Two processes that change one file
wait for each other.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from lake.config.files import load_text, read_text, refuse_way_out
from lake.config.lines import spans
from lake.config.places import DIRECTORY, LOCAL_FILE, PROJECT_FILE, project_to_be, user_file
from lake.config.remote import Named
from lake.errors import ConfigError
from lake_schemas.errors import FormatError
from lake_schemas.yaml import dump_yaml, load_yaml


class Scope(StrEnum):
    """Which settings file a change goes to."""

    PROJECT = "project"
    LOCAL = "local"
    USER = "user"

    def file(self, project: Path | None) -> Path:
        """The file's path; without a `project`, where a new one belongs."""
        if self is Scope.USER:
            return user_file()
        folder = (project or project_to_be()) / DIRECTORY
        return folder / (LOCAL_FILE if self is Scope.LOCAL else PROJECT_FILE)


def change(path: Path, edits: Mapping[tuple[str, ...], Any]) -> bool:
    """Set each entry to a value, or remove it where the value is None; whether that changed any.

    Args:
        path: of the settings file; it and its directory are made when they are not there.
        edits: by path of keys, at most two: `{("remotes", "main"): "s3://bucket/prefix"}`.

    Raises:
        ConfigError: the file is broken, or would be.
        DiskError, InputError: it cannot be written.
    """
    from lake.fsio import make_dirs, write_file

    own = path == user_file()
    if own:
        path = Path(os.path.realpath(path))  # people keep their dotfiles behind links
    else:
        refuse_way_out(path)
    make_dirs(path.parent, mode=0o700 if own else 0o777)
    with _alone(path.parent):
        before = read_text(path) or ""
        after = edited(before, edits, where=str(path))
        if after == before:
            return False
        load_text(after, path, Named.USER if own else None)
        write_file(path, after.encode())
    return True


def edited(text: str, edits: Mapping[tuple[str, ...], Any], *, where: str) -> str:
    """The text with the edits made.

    >>> edited("# ours\\ndefault: nas\\n", {("default",): "main"}, where="example")
    '# ours\\ndefault: main\\n'
    """
    for keys, value in edits.items():
        document = _load(text, where)
        wanted = _applied(document, keys, value)
        if wanted == document:
            continue
        attempt = _by_lines(text, keys, value)
        try:
            text = attempt if _load(attempt, where) == wanted else dump_yaml(wanted).decode()
        except ConfigError:
            text = dump_yaml(wanted).decode()
    return text


def _applied(document: dict[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    wanted = copy.deepcopy(document)
    inner: Any = wanted
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"'{key}' is not a mapping of names")
    if value is None:
        inner.pop(keys[-1], None)
    else:
        inner[keys[-1]] = value
    if len(keys) == 2 and not inner:
        wanted.pop(keys[0])
    return wanted


def _by_lines(text: str, keys: tuple[str, ...], value: Any) -> str:
    lines = text.splitlines()
    known = spans(text) if text.strip() else {}
    here, parent = known.get(keys), known.get(keys[:-1])
    if value is None and here is not None:
        siblings = [path for path in known if len(path) == len(keys) and path[:-1] == keys[:-1]]
        gone = parent if parent is not None and len(siblings) == 1 else here
        del lines[gone.first : gone.last + 1]
    elif here is not None:
        lines[here.first : here.last + 1] = _dumped({keys[-1]: value}, here.column)
    elif parent is not None and parent.block:
        column = next(s.column for p, s in known.items() if p[:-1] == keys[:-1])
        lines[parent.last + 1 : parent.last + 1] = _dumped({keys[-1]: value}, column)
    else:
        nested: Any = value
        for key in reversed(keys):
            nested = {key: nested}
        lines.extend(_dumped(nested, 0))
    return "\n".join(lines) + "\n" if lines else ""


def _dumped(value: dict[str, Any], column: int) -> list[str]:
    return [" " * column + line for line in dump_yaml(value).decode().splitlines()]


def _load(text: str, where: str) -> dict[str, Any]:
    if not _has_content(text):
        return {}
    try:
        document = load_yaml(text.encode(), where=where)
    except FormatError as error:
        raise ConfigError(error.what, where=error.where, hint=error.hint) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError("not a mapping of settings", where=where)
    return document


def _has_content(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, so that no change of another process is lost."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: the last writer wins
        yield
        return
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
