"""Pydantic's verdicts as FormatError: one line, where in the text, and never the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lake_schemas.blob import DIGEST, EXT, MEDIA_TYPE
from lake_schemas.errors import FormatError, quoted
from lake_schemas.names import NAME

Model = TypeVar("Model", bound=BaseModel)

_PLAIN = {
    "extra_forbidden": "unknown field",
    "missing": "missing field",
    "string_type": "must be text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
}

_FORMS = {
    f"^{NAME}$": "not a legal name (1 to 64 of A-Z a-z 0-9 _ . -, no . or - in front)",
    f"^{DIGEST}$": "must be 64 lower-case hex digits",
    f"^{MEDIA_TYPE}$": "must be a media type in lower case, such as image/png",
    f"^{EXT}$": "must be an extension without its leading dot, such as jpeg",
}


def explain(error: ValidationError, where: str) -> FormatError:
    """The first faults that pydantic found, in words."""
    faults = error.errors(include_url=False, include_input=False, include_context=True)
    parts: list[str] = []
    hint: str | None = None
    for fault in faults[:3]:
        path = ".".join(_step(step) for step in fault["loc"] if step != "[key]")
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, FormatError):
            text = cause.what if cause.where is None else f"{cause.what}: {cause.where}"
            hint = hint or cause.hint
        else:
            form = _FORMS.get(fault.get("ctx", {}).get("pattern", ""))
            text = form or _PLAIN.get(fault["type"], fault["msg"])
        parts.append(f"{path}: {text}" if path else text)
    if len(faults) > 3:
        parts.append(f"and {len(faults) - 3} more")
    return FormatError("; ".join(parts), where=where, hint=hint)


def _step(step: int | str) -> str:
    # A key of the text: people paste URLs with passwords where an alias should be.
    if isinstance(step, str) and (len(step) > 64 or re.search("[:@]", step)):
        return f"<{quoted(step)}>"
    return str(step)


def checked(build: Callable[[], Model], where: str) -> Model:
    """What `build` makes, with pydantic's errors as FormatError."""
    try:
        return build()
    except ValidationError as error:
        raise explain(error, where) from None


def refuse_field(raw: Any, name: str, where: str) -> None:
    """Refuse the Python spelling of a field (such as `in_`), which no text has."""
    if isinstance(raw, dict) and name in raw:
        raise FormatError(f"{name}: unknown field", where=where)
