"""pydantic's complaints as lines a person can read."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

_PLAIN = {
    "extra_forbidden": "no such parameter",
    "missing": "is required",
}
_LONGEST = 80


def problems(error: ValidationError, names: Mapping[str, str] | None = None) -> list[str]:
    """One line for each bad field: its name, what is wrong, what was given.

    Args:
        error: from a model.
        names: what a field is called where the person wrote it, {"keys": "--key"}.
    """
    lines: dict[str, None] = {}
    for problem in error.errors(include_url=False, include_context=False):
        path = [part for part in problem["loc"] if not _is_branch(part)]
        field = str(path[0]) if path else ""
        inner = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[1:])
        name = (names or {}).get(field, field) + inner
        text = _PLAIN.get(problem["type"]) or _lower(problem["msg"].removeprefix("Value error, "))
        given = problem["input"]
        if problem["type"] not in ("missing", "extra_forbidden") and isinstance(
            given, str | int | float | bool
        ):
            shown = repr(given)
            text += f", not {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'}"
        lines[f"{name}: {text}" if name else text] = None
    return list(lines)


def _lower(text: str) -> str:
    # "Input should be ..." goes on after a colon; "URL must ..." keeps its capitals.
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _is_branch(part: object) -> bool:
    """Whether a part of the path is the name of a type's branch and no field or key of it."""
    # "*" stands for all keys that are not named.
    return isinstance(part, str) and ("[" in part or part in ("*", "str", "int", "float", "bool"))
