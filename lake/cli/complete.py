"""What the words on a command line may become, for shell completion.

The scripts of `lake completion` call `lake __complete WORD...`, with the words up to the cursor;
each line that comes back is a candidate, then a tab, then what it means. No line: the shell
offers files. Names of verbs and stages cost no import of theirs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from lake.errors import LakeError

Candidate = tuple[str, str]


def complete(words: Sequence[str]) -> int:
    """Print the candidates for the last of `words`; always 0, for a shell has no use for errors."""
    try:
        found = list(candidates(list(words)))
    except (LakeError, ImportError):
        found = []
    for value, meaning in found:
        sys.stdout.write(f"{value}\t{meaning}\n" if meaning else f"{value}\n")
    return 0


def candidates(words: list[str]) -> Iterator[Candidate]:
    """What the last of `words` may become, with what it means."""
    *before, typed = words or [""]
    if not before or before == ["help"]:
        yield from (pair for pair in _names() if pair[0].startswith(typed))
        return
    from lake.cli.main import find_command

    command = find_command(before[0], before)
    rest = before[1:]
    # Into a group's verbs: `lake remote a<TAB>`.
    while hasattr(command, "commands"):
        named = [word for word in rest if not word.startswith("-")]
        if not named or named[0] not in command.commands:
            for name, sub in command.commands.items():
                if name.startswith(typed):
                    yield name, sub.get_short_help_str(80)
            return
        command, rest = command.commands[named[0]], rest[rest.index(named[0]) + 1 :]
    taking = _option_awaiting(command, rest)
    if taking is not None:
        yield from (pair for pair in _values(taking) if pair[0].startswith(typed))
    elif typed.startswith("-"):
        for parameter in command.params:
            for name in (*parameter.opts, *parameter.secondary_opts):
                if name.startswith(typed) and name.startswith("-"):
                    yield name, (getattr(parameter, "help", None) or "").split("\n")[0]


def _names() -> Iterator[Candidate]:
    from lake.cli.verbs import VERBS
    from lake.stage.registry import installed

    yield from ((name, verb.help) for name, verb in VERBS.items())
    yield from ((entry.name, entry.summary()) for entry in installed().values())


def _option_awaiting(command: Any, rest: Sequence[str]) -> Any:
    """The option whose value comes next, or None."""
    if not rest or not rest[-1].startswith("-"):
        return None
    for parameter in command.params:
        if rest[-1] in parameter.opts and not getattr(parameter, "is_flag", False):
            return parameter
    return None


def _values(parameter: Any) -> Iterator[Candidate]:
    metavar = parameter.metavar or ""
    if choices := re.search(r"\[([^\[\]]+)\]$", metavar):
        yield from ((value, "") for value in choices[1].split("|"))
    elif "REMOTE" in metavar:
        from lake.config import Config

        yield from ((remote.alias, remote.url) for remote in Config.load().remotes())
