"""How a stage's fields become options, and what is typed becomes a parameter.

Every field becomes an option of its name. What a person types goes to pydantic as text, so the
command line, YAML and Python accept the same values and give the same complaints. A field may
say how it is typed with `Field(json_schema_extra={...})`:

    short: "-k", a second, short name;
    option: "--key", another long name (for a list: its singular);
    off: "--local-only", what turns a flag off (else --no-NAME);
    metavar: "KEY", how the value is called in the help.

Lists are options that may be given several times; a dict takes KEY=VALUE several times, and a
VALUE without a key counts for every other key ("*"); a field of a model's type takes JSON.
"""

from __future__ import annotations

import collections.abc
import enum
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lake.errors import UsageError

_MAPPINGS = (dict, collections.abc.Mapping)
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable)


def option_name(name: str, field: FieldInfo) -> str:
    """What the option of a field is called: `--key`."""
    return str(_extra(field).get("option", "--" + name.replace("_", "-")))


def annotation(name: str, field: FieldInfo) -> Any:
    """The typer annotation of a field's parameter; None stands for "not given"."""
    extra = _extra(field)
    kind = _kind(field.annotation)
    names = [option_name(name, field)]
    if kind is bool and field.default is not False:
        off = extra.get("off", f"--no-{names[0].removeprefix('--')}")
        names = [f"{names[0]}/{off}"]
    if "short" in extra:
        names.append(str(extra["short"]))
    typed = {bool: bool | None, list: list[str] | None, dict: list[str] | None}.get(
        kind, str | None
    )
    help_ = field.description or ""
    if field.is_required():
        help_ += " Required."
    elif kind is not bool and field.default not in (None, (), "") and not field.default_factory:
        help_ += f" Default: {_shown(field.default)}."
    option = typer.Option(
        *names,
        help=help_.strip(),
        show_default=False,
        metavar=None if kind is bool else str(extra.get("metavar") or _metavar(field.annotation)),
    )
    return Annotated[typed, option]


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _shown(default: object) -> str:
    if isinstance(default, Mapping):
        pairs = default.items()
        return ", ".join(str(value) if key == "*" else f"{key}={value}" for key, value in pairs)
    return str(default.value if isinstance(default, enum.Enum) else default)


def _members(type_: Any) -> list[Any]:
    """The types that a value may have, without None."""
    if get_origin(type_) in (Union, types.UnionType):
        return [part for a in get_args(type_) if a is not type(None) for part in _members(a)]
    if get_origin(type_) is Annotated:
        return _members(get_args(type_)[0])
    return [type_]


def _kind(type_: Any) -> type:
    """bool, list or dict for what is typed in a way of its own, `object` for one plain value."""
    members = _members(type_)
    origins = [get_origin(member) or member for member in members]
    if origins == [bool]:
        return bool
    if any(origin in _MAPPINGS for origin in origins):
        return dict
    if any(origin in _LISTS for origin in origins):
        return list
    return object


def choices(type_: Any) -> list[str]:
    """The values that a field of a Literal or Enum type takes, in a list or dict too."""
    found: list[str] = []
    for member in _members(type_):
        if get_origin(member) is Literal:
            found += [str(value) for value in get_args(member)]
        elif isinstance(member, type) and issubclass(member, enum.Enum):
            found += [str(value.value) for value in member]
        elif get_args(member):
            found += [c for part in get_args(member)[-1:] for c in choices(part)]
    return list(dict.fromkeys(found))


def _metavar(type_: Any) -> str:
    key = "[KEY=]" if _kind(type_) is dict else ""
    if values := choices(type_):
        return f"{key}[{'|'.join(values)}]"
    if key:
        return "KEY=VALUE"
    inner = _members(type_)[0]
    if get_args(inner):
        inner = _members(get_args(inner)[0])[0]
    return {int: "N", float: "X", Path: "PATH"}.get(inner, "TEXT")


def value(field: FieldInfo, option: str, typed: Any) -> Any:
    """What pydantic gets for what a person typed.

    Raises:
        UsageError: the field takes JSON, and this is none.
    """
    if _kind(field.annotation) is dict:
        pairs = (text.partition("=") for text in typed)
        return {key if equals else "*": text if equals else key for key, equals, text in pairs}
    members = _members(field.annotation)
    if isinstance(typed, str) and any(
        isinstance(member, type) and issubclass(member, BaseModel) for member in members
    ):
        try:
            return json.loads(typed)
        except ValueError as error:
            raise UsageError(f"{option}: this must be JSON: {error}") from error
    return typed
