"""The README's and the tutorials' blocks run as they are printed."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from .conftest import REPO, Person

pytest.importorskip("sklearn", reason="the pages' pictures come with scikit-learn")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    "README.md",
    "docs/tutorial/first-steps.md",
    "docs/tutorial/python.md",
    "docs/how-to/share-a-dataset.md",
    "docs/how-to/work-offline.md",
    "docs/how-to/verify-and-repair.md",
    "docs/how-to/move-from-pipelime.md",
    "docs/how-to/make-a-dataset.md",
    "docs/how-to/write-a-stage.md",
]
"""Pages whose `sh` and `python` blocks need no server: run in order, in one folder, a page each."""


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, code) of a page's blocks that are meant to be run."""
    return BLOCK.findall((REPO / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_page_runs_as_printed(person: Person, page: str) -> None:
    # Where a reader tries it: inside a clone of lake, a git repository of its own.
    person.run("git", "init", "-q", ".")
    shutil.copytree(REPO / "examples", person.root / "examples")
    tools = person.home / "bin"
    tools.mkdir()
    for name, words in {"python": "", "lake": " -m lake.cli.main"}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        (tools / name).chmod(0o755)
    person.env["PATH"] = f"{tools}:{Path(sys.executable).parent}:/usr/bin:/bin"
    found = blocks(page)
    assert found, f"{page} has nothing to run"
    where = person.home / "where"
    for language, code in found:
        if language == "python":
            person.run(sys.executable, "-W", "error", "-c", code)
        else:
            person.run("bash", "-euo", "pipefail", "-c", f"{code}\npwd > '{where}'")
            person.root = Path(where.read_text().strip())


def test_links_lead_somewhere() -> None:
    for page in [REPO / "README.md", REPO / "CONTRIBUTING.md", *(REPO / "docs").rglob("*.md")]:
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / target).exists(), f"{page.relative_to(REPO)}: {target}"
