"""Files: the only part of lake that creates, syncs, renames, links or removes them."""

from lake.fsio.atomic import write_file
from lake.fsio.batch import Batch, StagedFile
from lake.fsio.beneath import (
    check_rel,
    open_beneath,
    open_regular,
    read_beneath,
    stat_beneath,
)
from lake.fsio.hashing import hash_file
from lake.fsio.newdir import NewDirectory
from lake.fsio.oserrors import Translate, os_errors, translate
from lake.fsio.owner import RESERVED
from lake.fsio.placing import Mode, copy_hashed, place
from lake.fsio.scan import Entry, scan
from lake.fsio.tree import make_dirs, remove_file, remove_tree

__all__ = [
    "RESERVED",
    "Batch",
    "Entry",
    "Mode",
    "NewDirectory",
    "StagedFile",
    "Translate",
    "check_rel",
    "copy_hashed",
    "hash_file",
    "make_dirs",
    "open_beneath",
    "open_regular",
    "os_errors",
    "place",
    "read_beneath",
    "remove_file",
    "remove_tree",
    "scan",
    "stat_beneath",
    "translate",
    "write_file",
]
