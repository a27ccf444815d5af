"""A stage's command typed again, answered before typer, pydantic or the stage are imported."""

from __future__ import annotations

from collections.abc import Sequence

_SAID_OTHERWISE = ("--recheck", "--dry-run", "--debug", "-v", "-h", "--help")


def again(argv: Sequence[str]) -> bool:
    """Say that there is nothing to do, if this very command was completed here before and
    nothing it rests on has changed; else False."""
    if any(word in argv for word in _SAID_OTHERWISE):
        return False
    from lake.stage.memo import CallMemo

    words = CallMemo(argv).recall()
    if words is None:
        return False
    if "--json" in argv:
        import json

        print(json.dumps(words["facts"], indent=2, ensure_ascii=False))
    elif "--quiet" not in argv and "-q" not in argv:
        print(words["text"])
    return True
