"""Files: the only part of lake that creates, syncs, renames, links or removes them."""

from lake.fsio.atomic import move_file, set_times, write_file
from lake.fsio.batch import Batch
from lake.fsio.beneath import (
    check_rel,
    open_beneath,
    open_regular,
    read_beneath,
    read_up_to,
    stat_beneath,
)
from lake.fsio.hashing import CHUNK, hash_file, read_chunks
from lake.fsio.newdir import NewDirectory
from lake.fsio.oserrors import Translate, os_errors, translate
from lake.fsio.owner import RESERVED
from lake.fsio.placing import Mode, copy_hashed, place
from lake.fsio.staged import StagedFile
from lake.fsio.there import exists, is_dir, is_file
from lake.fsio.tree import make_dirs, remove_file, remove_tree
from lake.fsio.walk import Entry, scan

__all__ = [
    "CHUNK",
    "RESERVED",
    "Batch",
    "Entry",
    "Mode",
    "NewDirectory",
    "StagedFile",
    "Translate",
    "check_rel",
    "copy_hashed",
    "exists",
    "hash_file",
    "is_dir",
    "is_file",
    "make_dirs",
    "move_file",
    "open_beneath",
    "open_regular",
    "os_errors",
    "place",
    "read_beneath",
    "read_chunks",
    "read_up_to",
    "remove_file",
    "remove_tree",
    "scan",
    "set_times",
    "stat_beneath",
    "translate",
    "write_file",
]
