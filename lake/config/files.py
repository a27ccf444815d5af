"""Reading settings files: bounded, checked, and with the line of each entry."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lake.config.lines import Span, spans
from lake.config.places import DIRECTORY, PROJECT_FILE, user_file
from lake.config.remote import Named
from lake.errors import ConfigError
from lake_schemas.errors import FormatError

if TYPE_CHECKING:
    from lake_schemas.config import ProjectConfig, UserConfig

Kind = Named
_LARGEST = 1 << 20
_LINE = re.compile(r"\bline ([0-9]+)")


@dataclass(frozen=True)
class ConfigFile:
    """One settings file as read: what it says, and whose it is."""

    path: Path
    by: Named
    settings: UserConfig | ProjectConfig
    text: str = field(repr=False)

    @property
    def base(self) -> Path:
        """What relative folders in it are relative to: its own directory."""
        return self.path.parent

    @cached_property
    def spans(self) -> dict[tuple[str, ...], Span]:
        """The lines of each entry."""
        return spans(self.text)

    def where(self, *keys: str) -> str:
        """`file:line` of an entry, or of the nearest one around it."""
        for length in range(len(keys), 0, -1):
            if span := self.spans.get(keys[:length]):
                return f"{shown(self.path)}:{span.first + 1}"
        return shown(self.path)


def read(path: Path, by: Named) -> ConfigFile | None:
    """The settings file at `path`, or None where there is none or it is empty.

    Raises:
        ConfigError: it cannot be read, or says what settings cannot say; names file and line.
    """
    if by is not Named.USER:
        refuse_way_out(path)
    text = read_text(path)
    if text is None or not text.strip():
        return None
    settings = load_text(text, path, by)
    return None if settings is None else ConfigFile(path, by, settings, text)


def load_text(text: str, path: Path, by: Named | None = None) -> UserConfig | ProjectConfig | None:
    """The settings in a text; None where it says nothing.

    Raises:
        ConfigError: it is broken; names file and line.
    """
    from lake_schemas.config import ProjectConfig, UserConfig, load_config

    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return None
    shared = path.name == PROJECT_FILE and path.parent.name == DIRECTORY
    if by is None:
        by = Named.PROJECT if shared and path != user_file() else Named.USER
    try:
        return load_config(
            text.encode(), ProjectConfig if by is Named.PROJECT else UserConfig, where=shown(path)
        )
    except FormatError as error:
        where = _place(error.what, text, path)
        raise ConfigError(error.what, where=where, hint=error.hint) from None


def _place(what: str, text: str, path: Path) -> str:
    """`file:line` of a fault: the parser says its line, the checker the path of keys."""
    if found := _LINE.search(what):
        return f"{shown(path)}:{found[1]}"
    try:
        known = spans(text)
    except Exception:  # not even YAML, and the fault did not say where: the file must do
        return shown(path)
    named = [keys for keys in known if re.match(re.escape(".".join(keys)) + r"\b", what)]
    if not named:
        return shown(path)
    return f"{shown(path)}:{known[max(named, key=len)].first + 1}"


def read_text(path: Path) -> str | None:
    """The text of a settings file, or None where there is none.

    Raises:
        ConfigError: it cannot be read, is no regular file, or is too large.
    """
    try:
        # Without O_NONBLOCK a FIFO in a hostile checkout would block here for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read settings ({error.strerror})", where=shown(path)) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ConfigError("settings that are not a regular file", where=shown(path))
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(_LARGEST + 1)
    finally:
        os.close(fd)
    if len(data) > _LARGEST:
        raise ConfigError("settings larger than 1 MiB", where=shown(path))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError("settings that are not UTF-8", where=f"{shown(path)}:{line}") from None


def refuse_way_out(path: Path) -> None:
    """Refuse a project's settings file that is, or lies behind, a link out of the project.

    A checkout may come from anyone, and parts of what the link leads to would show in errors.

    Raises:
        ConfigError: it is.
    """
    project = Path(os.path.realpath(path.parent.parent))
    if not Path(os.path.realpath(path)).is_relative_to(project):
        raise ConfigError(
            "settings of a project that are a link out of it",
            where=shown(path),
            hint="put a file in the place of the link",
        )


def shown(path: Path) -> str:
    """A path for people: below the home directory with "~"."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
