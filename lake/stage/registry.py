"""Which stages are installed: entry points of the group "lake.stages", and files named by
the person at the keyboard.

Nothing here imports a stage until it is asked for by name: `lake --help` lists them all.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import ConflictError, InputError, NotFound

if TYPE_CHECKING:
    from lake.stage.stage import Stage

GROUP = "lake.stages"


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One stage that can be had: its name, and "module:Class" to import it from."""

    name: str
    target: str
    package: str

    def load(self) -> type[Stage]:
        """Import the class.

        Raises:
            NotFound: the module or the class is not there, or is no stage.
        """
        from lake.stage.stage import Stage

        module, _, attribute = self.target.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise NotFound(
                f"the stage does not load: {error}",
                where=f"{self.name} ({self.target}, from {self.package})",
                hint=f"reinstall {self.package}",
            ) from error
        if not (isinstance(found, type) and issubclass(found, Stage)):
            raise NotFound("this is not a stage class", where=f"{self.name} ({self.target})")
        return found

    def summary(self) -> str:
        """The first line of the class's docstring, read from the source without importing it."""
        module, _, attribute = self.target.partition(":")
        source = _source_of(module)
        pattern = rf'^class {re.escape(attribute)}\b[^:]*:\s*\n\s+[rR]?"""(.+?)(?:"""|\n)'
        found = re.search(pattern, source, re.MULTILINE)
        return found[1].strip() if found else f"from {self.package}"


def installed() -> dict[str, StageEntry]:
    """The stages of all installed packages, by name, in order of name.

    Raises:
        ConflictError: two packages give a stage of the same name.
    """
    found: dict[str, StageEntry] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        package = point.dist.name if point.dist is not None else "?"
        entry = StageEntry(point.name, point.value, package)
        other = found.setdefault(entry.name, entry)
        if other.target != entry.target:
            raise ConflictError(
                f"two packages have a stage of this name: {other.package} and {entry.package}",
                where=entry.name,
                hint="uninstall one of the two packages",
            )
    return dict(sorted(found.items()))


def find_stage(name: str, modules: Iterable[Path] = ()) -> type[Stage]:
    """The stage class of that name.

    Args:
        name: as the command line and YAML know it, "remote-add".
        modules: Python files whose stages count as well, and win.

    Raises:
        NotFound: there is none.
        InputError: a module file does not load.
    """
    for path in modules:
        stages = load_module(path)
        if name in stages:
            return stages[name]
    entries = installed()
    if name in entries:
        return entries[name].load()
    raise NotFound(
        "no such stage",
        where=name,
        hint=_near(name, entries) or "lake stages lists them; --module FILE adds your own",
    )


def load_module(path: Path) -> dict[str, type[Stage]]:
    """Run a Python file of the user's own; the stages that it defines, by name.

    Only ever called for a file that the person at the keyboard named, never for a path that
    stands in a dataset or a pipeline.

    Raises:
        InputError: the file is missing, or fails when run.
    """
    from lake.stage.stage import Stage

    name = _module_name(path)
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise InputError("a module file must end in .py", where=str(path))
        module = importlib.util.module_from_spec(spec)
        # Before it runs, so that its classes can be pickled to worker processes of a fork.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise InputError(
                f"the module does not load: {type(error).__name__}: {error}", where=str(path)
            ) from error
    own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == name]
    return {cls.stage_name: cls for cls in own if issubclass(cls, Stage) and cls.stage_name}


def _module_name(path: Path) -> str:
    """A name for the module of a file as it is now: an edited file is another module."""
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"no such module file: {error.strerror}", where=str(path)) from error
    facts = f"{path.resolve()} {found.st_mtime_ns} {found.st_size}"
    return f"lake_user_stages_{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


def _near(name: str, entries: Iterable[str]) -> str | None:
    import difflib

    near = difflib.get_close_matches(name, list(entries), n=1)
    return f"did you mean {near[0]}?" if near else None


def _source_of(module: str) -> str:
    """The source text of a module, found on the path without running any package."""
    *parents, last = module.split(".")
    path: list[str] | None = None
    for parent in parents:
        spec = importlib.machinery.PathFinder.find_spec(parent, path)
        if spec is None or spec.submodule_search_locations is None:
            return ""
        path = list(spec.submodule_search_locations)
    spec = importlib.machinery.PathFinder.find_spec(last, path)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    try:
        return Path(spec.origin).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
