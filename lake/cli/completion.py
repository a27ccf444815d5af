"""Shell completion: the script for a shell, and the words that it asks for.

The scripts call `lake __complete WORD...`, with the words up to the cursor; each line that comes
back is a candidate, then a tab, then what it means. No line: the shell offers files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from lake.errors import LakeError, UsageError

SCRIPTS = {
    "bash": """\
_lake() {
    local IFS=$'\\n'
    COMPREPLY=($(lake __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -o nosort -F _lake lake
""",
    "zsh": """\
#compdef lake
_lake() {
    local -a found
    local value help
    while IFS=$'\\t' read -r value help; do
        found+=("${value//:/\\\\:}${help:+:$help}")
    done < <(lake __complete "${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)
    if (( ${#found} )); then _describe lake found; else _files; fi
}
compdef _lake lake
""",
    "fish": """\
function __lake_complete
    set -l words (commandline -opc) (commandline -ct)
    lake __complete $words[2..-1] 2>/dev/null
end
function __lake_has_words
    test (count (__lake_complete)) -gt 0
end
complete -c lake -f -n __lake_has_words -a '(__lake_complete)'
""",
}

Candidate = tuple[str, str]


def command(
    shell: Annotated[str, typer.Argument(metavar="[bash|zsh|fish]", help="Which shell.")],
) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(lake completion bash)" in ~/.bashrc
    zsh:  eval "$(lake completion zsh)" in ~/.zshrc, after compinit
    fish: lake completion fish > ~/.config/fish/completions/lake.fish
    """
    if shell not in SCRIPTS:
        raise UsageError(f"no completion for {shell}", hint="one of bash, zsh, fish")
    print(SCRIPTS[shell], end="")


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
    if metavar.startswith("[") and metavar.endswith("]"):
        yield from ((value, "") for value in metavar[1:-1].split("|"))
    elif "REMOTE" in metavar:
        from lake.config import Config

        yield from ((remote.alias, remote.url) for remote in Config.load().remotes())
