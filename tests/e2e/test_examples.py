"""Every example runs as it stands, and prints what its reader is told to expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import REPO, Person

pytest.importorskip("sklearn", reason="the examples' pictures come with scikit-learn")
EXAMPLES = REPO / "examples"


def example(person: Person, name: str, *words: str | Path) -> str:
    import sys

    return person.run(sys.executable, EXAMPLES / name, *words).out


@pytest.fixture(scope="module")
def toured(tmp_path_factory) -> tuple[Person, str]:
    """A person who has taken the tour in a folder of their own, and what it printed."""
    top = tmp_path_factory.mktemp("tour")
    ann = Person(top / "work", top / "home")
    ann.root.mkdir()
    ann.home.mkdir()
    said = example(ann, "digits_tour.py", ann.root / "demo")
    ann.env["LAKE_CACHE_DIR"] = str(ann.root / "demo" / "cache")
    ann.env["LAKE_CONFIG_DIR"] = str(ann.root / "demo" / "config")
    return ann, said


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path.name}"' in text, f"{path.name} is an example that no test runs"


def test_digits_are_files_with_labels(person: Person) -> None:
    example(person, "digits.py", "pictures")
    digits = person.root / "pictures" / "digits"
    assert len(list(digits.rglob("*.png"))) == len(list(digits.rglob("*.json"))) == 1797
    assert len(list((person.root / "pictures" / "photos").glob("*.jpg"))) == 2


def test_tour(toured: tuple[Person, str]) -> None:
    ann, said = toured
    assert "That was the tour" in said
    assert "1797 samples" in said
    demo = ann.root / "demo"
    for name in ("china.jpg", "flower.jpg"):
        original = (demo / "pictures" / "photos" / name).read_bytes()
        assert original in [
            p.read_bytes() for p in (demo / "colleague" / "photo-files").rglob("*") if p.is_file()
        ]


def test_tour_leaves_other_folders_alone(person: Person) -> None:
    import sys

    kept = person.root / "mine" / "precious.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    said = person.run(sys.executable, EXAMPLES / "digits_tour.py", kept.parent, ok=False)
    assert "not a folder that this tour made" in said.err
    assert kept.read_text() == "mine"


def test_load_samples(toured: tuple[Person, str]) -> None:
    ann, _ = toured
    said = example(ann, "load_samples.py", "demo/team/digits")
    assert "1797 samples" in said
    assert "(8, 8) uint8" in said
    assert "mean ink of 200 digits" in said


def test_own_stage_in_python_and_as_a_command(toured: tuple[Person, str]) -> None:
    ann, _ = toured
    said = example(ann, "own_stage.py", "demo/team/digits")
    assert "- ink:" in said
    assert "of 300 have enough" in said
    ann.lake(
        "ink", "demo/team/digits", "dark", "--at-least", "95",
        "--module", EXAMPLES / "own_stage.py",
    )  # fmt: skip
    counted = "import lake; ds = lake.open('dark'); print(len(ds), min(s['ink']() for s in ds))"
    count, ink = ann.python(counted).out.split()
    assert 0 < int(count) < 1797
    assert float(ink) >= 95


def test_two_sources(person: Person) -> None:
    said = example(person, "two_sources.py")
    assert said.count("read b'this is note") == 3
