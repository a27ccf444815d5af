"""`lake help`, `lake stages`, and the pages that are generated from the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.cli import reference
from lake.stage import export

from .conftest import Lake

REPO = Path(__file__).parents[3]
MINE = '''
from lake.stage import SampleStage

class Shout(SampleStage, name="shout"):
    """Write labels in capitals."""
    key: str = "label"
    def __call__(self, sample):
        return sample.set(self.key, str(sample[self.key]()).upper())
'''


def test_help_without_a_name_is_the_overview(lake: Lake) -> None:
    assert lake("help").out == lake("--help").out == lake().out


def test_help_of_a_verb_is_its_own(lake: Lake) -> None:
    assert lake("help", "convert").out == lake("convert", "--help").out


def test_help_of_a_stage_has_its_other_faces(lake: Lake) -> None:
    out = lake("help", "remote-remove").out
    assert "- remote-remove: {remotes: ..., keys: ..." in out
    assert "from lake_stages.remote_remove import RemoteRemove" in out
    assert "--force" in out


def test_help_of_a_stage_as_json_is_its_schema(lake: Lake) -> None:
    assert lake("help", "clone", "--json").json["properties"]["mode"]["anyOf"]


def test_help_of_nothing_known(lake: Lake) -> None:
    assert "did you mean clone?" in lake("help", "clonne", code=2).err
    assert lake("help", "clonne", "--json", code=3)


def test_stages_are_listed(lake: Lake) -> None:
    out = lake("stages").out
    assert out.splitlines()[0].split() == ["STAGE", "PACKAGE", "WHAT", "IT", "DOES"]
    names = [stage["name"] for stage in lake("stages", "--json").json]
    assert {"clone", "remote-add", "remote-remove"} <= set(names)
    assert all(name in out for name in names)


@pytest.mark.parametrize("form", [["--module", "mine.py"], ["--module=mine.py"]])
def test_a_stage_of_ones_own_is_a_command(
    lake: Lake, home: Path, pictures: Path, form: list[str]
) -> None:
    (home / "mine.py").write_text(MINE)
    lake("init", "ds", "--from", "pictures", "--inline", "json")
    lake("shout", "ds", "out", "--key", "label", *form)
    assert '"label": "1"' in Path("out/samples/train/0001.json").read_text()
    assert "nothing to do" in lake("shout", "ds", "out", "--key", "label", *form).out
    # An edited stage is another stage.
    (home / "mine.py").write_text(MINE.replace(".upper()", " + '!'"))
    assert (
        "something else already" in lake("shout", "ds", "out", "--key", "label", *form, code=9).err
    )
    assert "Write labels in capitals." in lake("help", "shout", "--module", "mine.py").out
    lake("shout", "ds", "again", code=2)


def test_a_stage_that_fails_is_named_and_writes_nothing(
    lake: Lake, home: Path, pictures: Path
) -> None:
    (home / "mine.py").write_text(MINE)
    lake("init", "ds", "--from", "pictures")
    said = lake("shout", "ds", "out", "--module", "mine.py", code=3)
    assert "the sample has no item 'label'" in said.err
    assert not Path("out").exists()


@pytest.mark.parametrize("generator", [reference.main, export.main])
def test_generated_files_are_checked(generator: object, home: Path) -> None:
    name = "cli.md" if generator is reference.main else "."
    assert callable(generator)
    assert generator(["--check", name]) == 1
    assert generator([name]) == 0
    assert generator(["--check", name]) == 0


def test_the_generated_files_of_the_repository_are_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPO)
    assert reference.main(["--check"]) == 0
    assert export.main(["--check"]) == 0
