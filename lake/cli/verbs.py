"""The verbs that are not stages, as data: reading this table imports nothing else.

`lake --help` and shell completion are printed from here, so each one-line help stands here and
not in the verb's own module.
"""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb: the module whose `command` runs it, its one-line help, its section of the help."""

    module: str
    help: str
    section: str


DATASETS = "Datasets"
BLOBS = "Blobs"
SETTINGS = "Remotes and settings"
HELP = "Help"

SECTIONS = (DATASETS, BLOBS, SETTINGS, HELP)

VERBS: dict[str, Verb] = {
    "init": Verb("lake.cli.init", "Make a dataset, empty or from files and buckets.", DATASETS),
    "convert": Verb("lake.cli.convert", "Change a dataset's layout or text format.", DATASETS),
    "push": Verb("lake.cli.push", "Upload a dataset's blobs to remotes.", BLOBS),
    "pull": Verb("lake.cli.pull", "Fetch a dataset's blobs into the cache.", BLOBS),
    "status": Verb("lake.cli.status", "Say where a dataset's blobs are.", BLOBS),
    "verify": Verb("lake.cli.verify", "Check blobs against their digests, and repair.", BLOBS),
    "cache": Verb("lake.cli.cache", "Look into the local blob cache, or shrink it.", BLOBS),
    "remote": Verb("lake.cli.remote", "Name, list, check and trust remotes.", SETTINGS),
    "config": Verb("lake.cli.config", "Show settings, and which file said so.", SETTINGS),
    "doctor": Verb("lake.cli.doctor", "Check this machine's set-up.", SETTINGS),
    "stages": Verb("lake.cli.stages", "List the stages that are installed.", HELP),
    "help": Verb("lake.cli.help", "Explain a verb or a stage.", HELP),
    "completion": Verb("lake.cli.completion", "Print the completion script of a shell.", HELP),
}
