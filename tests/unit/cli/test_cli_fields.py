"""A stage's fields as options of its command, and what is typed as its parameters."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from lake.cli.fields import choices
from lake.cli.options import build
from lake.cli.stage_command import _make, command_function
from lake.errors import UsageError
from lake.stage import Stage


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Box(BaseModel):
    width: int
    height: int = 1


class Every(Stage, name="every"):
    """Has a field of every kind.

    A second paragraph.
    """

    needed: str
    count: int = Field(3, ge=1, description="How many.", json_schema_extra={"short": "-c"})
    ratio: float | None = Field(None, description="A share.")
    fast: bool = False
    careful: bool = Field(True, json_schema_extra={"off": "--careless"})
    maybe: bool | None = None
    mode: Literal["copy", "link"] = "copy"
    colour: Colour = Colour.RED
    keys: list[str] = Field(default_factory=list, json_schema_extra={"option": "--key"})
    sizes: tuple[int, ...] = ()
    names: dict[str, int] = Field(default_factory=dict)
    modes: dict[str, Literal["copy", "link"]] = Field(default_factory=dict)
    path: Path | None = None
    box: Box | None = None


COMMAND = build(command_function(Every))


def parsed(*words: str) -> Stage:
    given = COMMAND.make_context("lake every", ["IN", "OUT", *words]).params
    fields = {name: given[name] for name in Every.model_fields}
    return _make(Every, fields)


def test_defaults_are_the_stages_own() -> None:
    assert parsed("--needed", "x") == Every(needed="x")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--count 7", {"count": 7}),
        ("-c 7", {"count": 7}),
        ("--ratio 0.5", {"ratio": 0.5}),
        ("--fast", {"fast": True}),
        ("--careless", {"careful": False}),
        ("--careful", {"careful": True}),
        ("--maybe", {"maybe": True}),
        ("--no-maybe", {"maybe": False}),
        ("--mode link", {"mode": "link"}),
        ("--colour blue", {"colour": Colour.BLUE}),
        ("--key a --key b", {"keys": ["a", "b"]}),
        ("--sizes 1 --sizes 2", {"sizes": (1, 2)}),
        ("--names a=1 --names b=2", {"names": {"a": 1, "b": 2}}),
        ("--modes copy --modes a=link", {"modes": {"*": "copy", "a": "link"}}),
        ("--path x/y", {"path": Path("x/y")}),
        ('--box {"width":2}', {"box": Box(width=2)}),
    ],
)
def test_what_is_typed_is_what_python_would_be_given(words: str, expected: dict[str, Any]) -> None:
    assert parsed("--needed", "x", *words.split()) == Every(needed="x", **expected)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "--needed: is required"),
        ("--needed x --count 0", "--count: input should be greater than or equal to 1, not '0'"),
        ("--needed x --count many", "--count: input should be a valid integer"),
        ("--needed x --mode move", "--mode: input should be 'copy' or 'link', not 'move'"),
        ("--needed x --sizes 1 --sizes a", "--sizes[1]: input should be a valid integer"),
        ("--needed x --modes a=move", "--modes.a: input should be 'copy' or 'link'"),
        ("--needed x --modes move", "--modes: input should be 'copy' or 'link'"),
        ("--needed x --box {", "--box: this must be JSON"),
        ("--needed x --box {}", "--box.width: is required"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_option(words: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(*words.split())
    assert message in caught.value.what
    assert caught.value.hint == "lake every --help" or "JSON" in message


def test_every_bad_field_has_a_line() -> None:
    with pytest.raises(UsageError) as caught:
        parsed("--count", "0", "--mode", "x")
    assert len(caught.value.what.splitlines()) == 3


def test_help_says_what_docstring_and_fields_say(capsys: pytest.CaptureFixture[str]) -> None:
    COMMAND.main(["--help"], prog_name="lake every", standalone_mode=False)
    out = capsys.readouterr().out
    for text in (
        "Has a field of every kind.",
        "A second paragraph.",
        "How many. Default: 3.",
        "-c, --count N",
        "--careful / --careless",
        "[copy|link]",
        "KEY=VALUE",
        "[KEY=][copy|link]",
        "--in-place",
        "--module FILE",
    ):
        assert text in out, out


def test_a_field_cannot_take_an_option_that_all_stages_have() -> None:
    class Clash(Stage, name="clash"):
        """Clashes."""

        jobs: int = 1

    with pytest.raises(UsageError, match="cannot be called jobs"):
        command_function(Clash)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (Literal["a", "b"], ["a", "b"]),
        (Literal["a"] | None, ["a"]),
        (Colour, ["red", "blue"]),
        (list[Literal["a", "b"]], ["a", "b"]),
        (dict[str, Colour], ["red", "blue"]),
        (str, []),
        (list[int] | None, []),
    ],
)
def test_choices(type_: Any, expected: list[str]) -> None:
    assert choices(type_) == expected
