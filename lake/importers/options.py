"""What `lake init` can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lake.importers.group import Grouping
from lake.importers.walk import Globs


@dataclass(frozen=True, slots=True)
class InitOptions:
    """How a new dataset is made of what is there.

    Attributes:
        source: a directory, or the URL or alias of a bucket; None for an empty dataset.
        format: how the directory is laid out; "auto" looks.
        grouping: which files make one sample.
        globs: which files are taken.
        inline: kinds of small text files that become values: "json", "yaml", "toml", "txt".
        remotes: aliases or URLs to upload to, without a local copy.
        alias: what the bucket is called in the dataset.
        mode: how files get into the dataset: "auto", "copy", "reflink", "hardlink", "symlink".
        layout, text: of the manifests; where nothing is said, as the dataset that is updated.
        name: of the dataset; by default its directory's.
        update: the dataset may be there: add what is new, renew what changed, remove nothing.
    """

    source: str | None = None
    format: Literal["auto", "tree", "underfolder"] = "auto"
    grouping: Grouping = field(default_factory=Grouping)
    globs: Globs = field(default_factory=Globs)
    inline: frozenset[str] = frozenset()
    remotes: tuple[str, ...] = ()
    alias: str | None = None
    mode: str = "auto"
    layout: Literal["files", "packed"] | None = None
    text: Literal["json", "yaml"] | None = None
    name: str | None = None
    update: bool = False

    @property
    def directory(self) -> Path | None:
        """The directory to read, if it is one."""
        if self.source is None or "://" in self.source:
            return None
        return Path(self.source)
