"""docs/design.md says which tests prove each promise; they exist, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (P\d+) \| .+ \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"\bdef test_(P\d+)_|\bclass Test(P\d+)")


def files_naming(promise: str) -> set[str]:
    """Test files that have a test whose name starts with the promise's number."""
    found = set()
    for path in (REPO / "tests").rglob("test_*.py"):
        if promise in {name for pair in NAMED.findall(path.read_text()) for name in pair}:
            found.add(path.relative_to(REPO).as_posix())
    return found


def rows() -> dict[str, str]:
    return dict(ROW.findall((REPO / "docs" / "design.md").read_text()))


def test_all_ten_are_listed() -> None:
    assert sorted(rows(), key=lambda name: int(name[1:])) == [f"P{n}" for n in range(1, 11)]


@pytest.mark.parametrize("promise", [f"P{n}" for n in range(1, 11)])
def test_promise_is_proved_where_the_design_says(promise: str) -> None:
    named = set(re.findall(r"\(\.\./(tests/[^)]+\.py)\)", rows()[promise]))
    assert named, f"no test proves {promise}"
    assert named <= files_naming(promise), "the design names files that do not prove it"
