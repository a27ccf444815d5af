"""The YAML form of stages: a list with one stage a line.

- remote-add: {remotes: [main], keys: [image]}
- clone
"""

from __future__ import annotations

from typing import Any

from lake.errors import ManifestError, UsageError
from lake.stage.registry import find_stage
from lake.stage.stage import Composition, Stage
from lake_schemas.errors import FormatError
from lake_schemas.yaml import load_yaml

_SHAPE = "a stage is its name, or one name with its parameters: `- clone: {mode: copy}`"


def parse_stages(text: str, *, where: str = "stages") -> Stage:
    """The stage, or composition, that a YAML text describes.

    Raises:
        ManifestError: the text is no YAML that lake reads.
        UsageError: it is no list of stages, or a parameter is wrong.
        NotFound: a stage is not installed.
    """
    try:
        data = load_yaml(text.encode(), where=where)
    except FormatError as error:
        raise ManifestError(error.what, where=error.where, hint=error.hint) from error
    return from_form(data, where=where)


def from_form(form: Any, *, where: str = "stages") -> Stage:
    """The stage that plain data describes: a name, `{name: parameters}`, or a list of these."""
    if isinstance(form, list):
        if not form:
            raise UsageError("the list of stages is empty", where=where, hint=_SHAPE)
        found = [from_form(part, where=f"{where}[{index}]") for index, part in enumerate(form)]
        return found[0] if len(found) == 1 else Composition(stages=tuple(found))
    name, parameters = (form, {}) if isinstance(form, str) else _only_pair(form, where)
    stage = find_stage(name)
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict) or not all(isinstance(key, str) for key in parameters):
        raise UsageError("parameters must be a mapping", where=f"{where}: {name}", hint=_SHAPE)
    try:
        return stage(**parameters)
    except UsageError as error:
        raise UsageError(error.what, where=f"{where}: {name}", hint=f"lake help {name}") from error


def _only_pair(form: Any, where: str) -> tuple[str, Any]:
    if isinstance(form, dict) and len(form) == 1:
        ((name, parameters),) = form.items()
        if isinstance(name, str):
            return name, parameters
    raise UsageError("this is no stage", where=where, hint=_SHAPE)
