"""Where in a YAML text each key stands: for origins, errors, and edits that keep comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of one entry, from its key's to the last of its value; counted from 0.

    `column` is its key's; `block` says that its value is a mapping in block style.
    """

    first: int
    last: int
    column: int
    block: bool


def spans(text: str) -> dict[Path, Span]:
    """The entries of a text that the strict loader has already accepted, by their path.

    >>> spans("remotes:\\n  main: s3://b\\n")[("remotes", "main")].first
    1
    """
    import yaml

    loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    found: dict[Path, Span] = {}
    events = iter(list(yaml.parse(text, Loader=loader)))
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            _value(next(events), events, (), found)
            break
    return found


def _value(event: Any, events: Iterator[Any], path: Path, found: dict[Path, Span]) -> int:
    """Take in one value that starts with `event`; the last line it reaches."""
    import yaml

    key: Any
    item: Any
    last = int(event.start_mark.line)
    if isinstance(event, yaml.MappingStartEvent):
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            here = (*path, str(key.value))
            value = next(events)
            last = _value(value, events, here, found)
            block = isinstance(value, yaml.MappingStartEvent) and not value.flow_style
            found[here] = Span(key.start_mark.line, last, key.start_mark.column, block)
        return _end(key, last)
    if isinstance(event, yaml.SequenceStartEvent):
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            last = _value(item, events, path, {})
        return _end(item, last)
    # A block scalar's mark stands at the beginning of the line after it.
    mark = event.end_mark
    return int(mark.line) - (1 if mark.column == 0 and mark.line > event.start_mark.line else 0)


def _end(event: Any, last: int) -> int:
    # In flow style the closing bracket counts; a block's end mark lies beyond its comments.
    closes = event.end_mark.index > event.start_mark.index
    return max(last, int(event.end_mark.line)) if closes else last
