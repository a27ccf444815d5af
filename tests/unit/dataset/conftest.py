from __future__ import annotations

from pathlib import Path

import pytest

from tests.person import home as home


@pytest.fixture(autouse=True)
def _own_hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache, ledger or open store of another test."""
    monkeypatch.setattr("lake.transfer.hub._default", None)
