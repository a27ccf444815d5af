"""The examples in the docstrings of the formats and codecs are so."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import lake.dataset.codecs
import lake_schemas

MODULES = sorted(
    module.name
    for package in (lake_schemas, lake.dataset.codecs)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", ["lake.dataset.codecs", *MODULES])
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
