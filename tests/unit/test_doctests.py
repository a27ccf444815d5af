"""Every example in a docstring runs, in every module of every package, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = ("lake", "lake_schemas", "lake_stages")
SOURCES = Path(__file__).parents[2]


def _modules() -> Iterator[str]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield name
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            yield found.name


def _examples(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", list(_modules()))
def test_the_examples_of_a_module_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    for test in _examples(importlib.import_module(name)):
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def test_no_example_is_out_of_reach_of_the_finder() -> None:
    found = written = 0
    for name in _modules():
        module = importlib.import_module(name)
        assert module.__file__ is not None
        text = Path(module.__file__).read_text(encoding="utf-8")
        written += sum(line.lstrip().startswith(">>> ") for line in text.splitlines())
        found += sum(len(test.examples) for test in _examples(module))
    assert found == written > 0
