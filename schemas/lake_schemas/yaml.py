"""YAML as lake reads and writes it: JSON's data model in YAML's clothes.

Reading goes event by event, so that nothing is built that the format does not allow: no
anchors, aliases, tags, duplicate keys, second documents; plain scalars are typed as JSON types
them, and every other is text (`no`, `2024-01-31` and `007` stay text).
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from lake_schemas.errors import FormatError, mending, quoted
from lake_schemas.jsontext import canonical
from lake_schemas.limits import MAX_NESTING, MAX_TEXT, check_size

# Events come one at a time and nesting is cut off early: deep text, which crashes libyaml's
# own recursive composer, never gets that far.
_Parser: Any = yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader

_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "": None}


def load_yaml(data: bytes, *, where: str, max_size: int = MAX_TEXT) -> Any:
    """One YAML document as dict, list, str, int, float, bool and None.

    >>> load_yaml(b"a: no\\nb: [1, 2.5, null, 2024-01-31]\\n", where="example")
    {'a': 'no', 'b': [1, 2.5, None, '2024-01-31']}

    Raises:
        FormatError: text outside the strict subset, or beyond its limits.
    """
    check_size(data, where, max_size)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 at byte {error.start}", where=where) from None
    if text.startswith("\ufeff"):
        raise FormatError("starts with a byte order mark", where=where, hint="save without BOM")
    parser = None
    try:
        parser = _Parser(text)
        return _document(parser)
    except FormatError as error:
        raise error.at(where) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1} column {mark.column + 1}" if mark else ""
        problem = error.problem or error.context
        raise FormatError(f"not YAML: {problem}{place}", where=where, hint=mending(text)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise FormatError(
            f"not YAML: {type(error).__name__}", where=where, hint=mending(text)
        ) from None
    finally:
        if parser is not None:
            parser.dispose()


def _document(parser: Any) -> Any:
    parser.get_event()
    event = parser.get_event()
    if isinstance(event, StreamEndEvent):
        raise FormatError("empty")
    _check_start(event)
    value = _value(parser, parser.get_event(), 0)
    parser.get_event()
    if not isinstance(parser.get_event(), StreamEndEvent):
        raise FormatError("a second document in one text")
    return value


def _check_start(event: DocumentStartEvent) -> None:
    if event.tags:
        raise FormatError("a %TAG directive", hint="tags are not allowed")


def _value(parser: Any, event: Any, depth: int) -> Any:
    if isinstance(event, AliasEvent):
        raise FormatError(f"an alias{_place(event)}", hint="write the value out")
    if event.anchor is not None:
        raise FormatError(f"an anchor{_place(event)}", hint="write the value out")
    if event.tag is not None:
        raise FormatError(f"a tag{_place(event)}", hint="tags are not allowed")
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if depth == MAX_NESTING:
        raise FormatError(f"more than {MAX_NESTING} levels deep{_place(event)}")
    if isinstance(event, SequenceStartEvent):
        items: list[Any] = []
        while not isinstance(event := parser.get_event(), SequenceEndEvent):
            items.append(_value(parser, event, depth + 1))
        return items
    return _mapping(parser, depth)


def _mapping(parser: Any, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not isinstance(event := parser.get_event(), MappingEndEvent):
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            raise FormatError(f"a key that is not text{_place(event)}")
        _value(parser, event, depth)  # refuses aliases, anchors and tags on keys
        key: str = event.value
        if key in found:
            raise FormatError(f"{quoted(key)} is there twice{_place(event)}")
        found[key] = _value(parser, parser.get_event(), depth + 1)
    return found


def _scalar(event: ScalarEvent) -> Any:
    text: str = event.value
    # `implicit[0]`: written plainly, so its text says what it is.
    if event.style is None or event.style == "":
        if text in _WORDS:
            return _WORDS[text]
        number = _number(text)
        if number is not None:
            return _json_number(text, number.group(1) is None and number.group(2) is None, event)
    return text


def _json_number(text: str, whole: bool, event: ScalarEvent) -> int | float:
    if whole:
        if len(text) > 20 or not -(2**63) <= (value := int(text)) < 2**63:
            raise FormatError(f"an integer does not fit 64 bits{_place(event)}")
        return value
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise FormatError(f"a number is not finite{_place(event)}")
    return number


def _place(event: Any) -> str:
    mark = event.start_mark
    return "" if mark is None else f", line {mark.line + 1} column {mark.column + 1}"


# Words that some YAML reader takes for something else than text, and what is safe as it is.
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_plain = re.compile(r"[A-Za-z_][A-Za-z0-9_.+/-]*(?: [A-Za-z0-9_.+/-]+)*").fullmatch
_plain_url = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|\.{1,2}/|/)[A-Za-z0-9_.+/?=&%~:-]*(?<!:)"
).fullmatch
_hexadecimal = re.compile(r"[0-9a-f]{32,}").fullmatch
# What JSON leaves as it is and YAML may not contain.
_unprintable = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WIDTH = 100
_LONG_KEY = 120


def dump_yaml(value: Any) -> bytes:
    """Canonical YAML of a JSON value, keys in the order given.

    Objects in block style; a list on one line where it holds no object and fits 100 columns,
    else one element a line, those in flow style. Text is quoted unless it is plainly words.

    >>> print(dump_yaml({"name": "flowers", "size": 3, "box": [1, 2], "no": "no"}).decode(), end="")
    name: flowers
    size: 3
    box: [1, 2]
    "no": "no"
    """
    lines: list[str] = []
    if isinstance(value, dict) and value:
        _block_object(value, 0, lines)
    elif isinstance(value, list) and value and not _fits(value, 0):
        _block_list(value, 0, lines)
    else:
        lines.append(flow(value))
    return ("\n".join(lines) + "\n").encode()


def _block_object(value: dict[str, Any], indent: int, lines: list[str]) -> None:
    pad = " " * indent
    for key, inner in value.items():
        head = f"{pad}{_text(key)}:"
        if len(head) > _LONG_KEY:  # YAML wants long keys announced
            head = f"{pad}? {_text(key)}\n{pad}:"
        if isinstance(inner, dict) and inner:
            lines.append(head)
            _block_object(inner, indent + 2, lines)
        elif isinstance(inner, list) and not _fits(inner, len(head)):
            lines.append(head)
            _block_list(inner, indent + 2, lines)
        else:
            lines.append(f"{head} {flow(inner, outer=True)}")


def _block_list(value: list[Any], indent: int, lines: list[str]) -> None:
    lines.extend(f"{' ' * indent}- {flow(inner)}" for inner in value)


def _fits(value: list[Any], used: int) -> bool:
    return not any(isinstance(inner, dict) for inner in value) and used + len(flow(value)) < _WIDTH


def flow(value: Any, *, outer: bool = False) -> str:
    """A JSON value in YAML's flow style, on one line."""
    if isinstance(value, str):
        return _text(value, outer=outer)
    if isinstance(value, list):
        return f"[{', '.join([flow(inner) for inner in value])}]"
    if isinstance(value, dict):
        return f"{{{', '.join([_flow_pair(key, inner) for key, inner in value.items()])}}}"
    return canonical(value)


def _flow_pair(key: str, value: Any) -> str:
    text = _text(key)
    return f"? {text} : {flow(value)}" if len(text) > _LONG_KEY else f"{text}: {flow(value)}"


def _text(text: str, *, outer: bool = False) -> str:
    if (
        _plain(text) is not None and text.lower() not in _RESERVED and _hexadecimal(text) is None
    ) or (outer and _plain_url(text) is not None):
        return text
    return _unprintable.sub(lambda found: f"\\u{ord(found[0]):04x}", canonical(text))
