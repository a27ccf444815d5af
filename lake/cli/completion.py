"""`lake completion`: the script that has a shell ask lake for candidates."""

from __future__ import annotations

from typing import Annotated

import typer

from lake.errors import UsageError

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
