"""A stage's four faces: Python, YAML, JSON Schema; composition; how it is found."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lake.dataset import Dataset, Sample
from lake.errors import ConflictError, InputError, ManifestError, NotFound, UsageError
from lake.stage import Composition, RunContext, SampleStage, Stage, current, find_stage, installed
from lake.stage.context import running
from lake.stage.registry import StageEntry, load_module
from lake.stage.schema import stage_schema, stages_schema
from lake_stages.clone import Clone
from lake_stages.remote_add import RemoteAdd
from lake_stages.remote_remove import RemoteRemove


class First(Stage, name="first"):
    """Keep the first samples."""

    count: int = Field(2, ge=0)

    def apply(self, dataset: Dataset) -> Dataset:
        return dataset[: self.count]


class Tag(SampleStage, name="tag"):
    """Set a value."""

    text: str = "x"

    def __call__(self, sample: Sample) -> Sample:
        return sample.set("tag", self.text)


class Odd(SampleStage, name="odd"):
    """Keep every other sample."""

    def __call__(self, sample: Sample) -> Sample | None:
        return sample if int(sample.id) % 2 else None


@pytest.fixture
def four() -> Dataset:
    return Dataset.from_samples([Sample(str(n), {"n": n}) for n in range(4)])


def test_a_stage_is_applied_by_a_bar(four: Dataset) -> None:
    assert [sample.id for sample in four | First(count=3)] == ["0", "1", "2"]


def test_stages_compose(four: Dataset) -> None:
    both = Tag(text="y") | First() | Odd()
    assert isinstance(both, Composition)
    assert [(s.id, s["tag"]()) for s in four | both] == [("1", "y")]
    assert both == Tag(text="y") | (First() | Odd())


def test_a_stage_that_gives_one_sample_each_keeps_the_length_known(four: Dataset) -> None:
    assert not (four | First()).rows.runs_code
    assert len(four | Tag()) == 4
    assert len(four | Odd()) == 2


def test_a_stage_is_frozen_and_knows_its_parameters() -> None:
    with pytest.raises(UsageError, match="cuont: no such parameter"):
        First(cuont=3)  # type: ignore[call-arg]
    with pytest.raises(Exception, match="frozen"):
        First().count = 3  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(First(count=3) | Tag())) == First(count=3) | Tag()


def test_a_bad_value_names_field_value_and_stage() -> None:
    with pytest.raises(UsageError) as caught:
        First(count=-1)
    assert str(caught.value) == ("count: input should be greater than or equal to 0, not -1: first")


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (Clone(), "- clone: {}\n"),
        (Clone(mode="copy"), "- clone:\n    mode: copy\n"),
        (RemoteAdd(remotes=["main"], keys=["image"], start=3), None),
        (RemoteRemove(remotes=["main"], force=True) | Clone(mode={"*": "copy", "x": "auto"}), None),
    ],
)
def test_a_stage_goes_through_yaml(stage: Stage, text: str | None) -> None:
    assert text is None or stage.to_yaml() == text
    assert Stage.from_yaml(stage.to_yaml()) == stage


@given(
    st.builds(
        RemoteAdd,
        remotes=st.lists(st.sampled_from(["main", "s3://b/p", "./x"])),
        keys=st.lists(st.sampled_from(["image", "no", "1"])),
        start=st.none() | st.integers(-9, 9),
        stop=st.none() | st.integers(-9, 9),
        step=st.none() | st.integers(1, 9),
        from_remote=st.booleans(),
    )
)
def test_any_parameters_go_through_yaml(stage: RemoteAdd) -> None:
    assert Stage.from_yaml(stage.to_yaml()) == stage


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("- clone", None, ""),
        ("- clone:\n", None, ""),
        ("- no-such-stage", NotFound, "no such stage: no-such-stage"),
        ("- clon", NotFound, "did you mean clone?"),
        ("- clone: {mode: fast}", UsageError, "pipe[0]: clone"),
        ("- clone: 3", UsageError, "parameters must be a mapping"),
        ("- {clone: {}, odd: {}}", UsageError, "this is no stage: pipe[0]"),
        ("- 3", UsageError, "this is no stage"),
        ("[]", UsageError, "the list of stages is empty"),
        ("- &a clone", ManifestError, "pipe"),
        ("- os.system: {command: ls}", NotFound, "no such stage"),
    ],
)
def test_yaml_that_is_wrong_says_where(
    text: str, error: type[Exception] | None, message: str
) -> None:
    if error is None:
        assert Stage.from_yaml(text, where="pipe") == Clone()
        return
    with pytest.raises(error) as caught:
        Stage.from_yaml(text, where="pipe")
    assert message in str(caught.value)


def test_the_schema_accepts_what_yaml_accepts() -> None:
    stages = {name: entry.load() for name, entry in installed().items()}
    schema = stages_schema(stages)
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    for good in (
        ["clone"],
        [{"clone": {"mode": "copy"}}, {"remote-add": {"keys": ["image"]}}],
        [{"clone": {"mode": {"image": "copy", "*": "manifests"}}}],
        [{"remote-remove": {"remotes": ["main"]}}],
    ):
        assert not list(check.iter_errors(good)), good
    for bad in (
        [],
        ["remote-remove"],
        [{"clone": {"mode": "fast"}}],
        [{"clone": {"x": 1}}],
        "clone",
    ):
        assert list(check.iter_errors(bad)), bad


def test_the_schema_keeps_types_of_one_stage_apart() -> None:
    class Inner(Stage, name="inner"):
        """Has a type of its own."""

        pair: tuple[Literal["a"], int] | None = None
        other: Tag | None = None

    schema = stages_schema({"inner": Inner})
    check = jsonschema.Draft202012Validator(schema)
    assert not list(check.iter_errors([{"inner": {"other": {"text": "y"}}}]))
    assert list(check.iter_errors([{"inner": {"other": {"text": 3}}}]))
    assert json.dumps(schema).count('"#/$defs/inner.Tag"') == 1


def test_one_stages_schema_has_descriptions() -> None:
    schema = stage_schema(RemoteAdd)
    assert schema["description"] == "Upload blobs to remotes; the result's manifests point there."
    assert schema["properties"]["keys"]["description"]


def test_lakes_own_stages_are_found_by_entry_points() -> None:
    assert {"clone", "remote-add", "remote-remove"} <= installed().keys()
    assert find_stage("clone") is Clone
    assert all(entry.load().stage_name == name for name, entry in installed().items())


def test_a_summary_needs_no_import() -> None:
    entry = installed()["clone"]
    assert entry.summary() == (Clone.__doc__ or "").splitlines()[0]
    assert StageEntry("x", "no.such:Module", "pkg").summary() == "from pkg"


@pytest.mark.parametrize("target", ["no.such.module:X", "json:NoSuchClass", "json:dumps"])
def test_an_entry_that_does_not_load_is_named(target: str) -> None:
    with pytest.raises(NotFound, match="x"):
        StageEntry("x", target, "pkg").load()


def test_two_packages_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata as metadata

    points = metadata.EntryPoints(
        [metadata.EntryPoint("a", f"m{n}:A", "lake.stages") for n in (1, 2)]
    )
    monkeypatch.setattr(metadata, "entry_points", lambda **_: points)
    with pytest.raises(ConflictError, match="a"):
        installed()


MODULE = '''
from lake.stage import SampleStage, Stage

class Upper(SampleStage, name="upper"):
    """Write a value in capitals."""
    key: str = "label"
    def __call__(self, sample):
        return sample.set(self.key, sample[self.key]().upper())
'''


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    upper = find_stage("upper", [path])
    [sample] = Dataset.from_samples([Sample("a", {"label": "x"})]) | upper()
    assert sample["label"]() == "X"
    assert load_module(path)["upper"] is upper
    assert pickle.loads(pickle.dumps(upper(key="y"))) == upper(key="y")
    with pytest.raises(NotFound):
        find_stage("upper")


@pytest.mark.parametrize("text", [None, "1/0", "def x(:"])
def test_a_module_that_does_not_load_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"mine\.py"):
        load_module(path)


def test_the_run_context_is_what_stages_see() -> None:
    context = RunContext(jobs=3, keep_going=True)
    with running(context):
        assert current() is context
    assert current().jobs is None
    copied: Any = pickle.loads(pickle.dumps(context))
    assert (copied.jobs, copied.keep_going) == (3, True)


def test_failures_are_raised_or_noted() -> None:
    with pytest.raises(InputError):
        RunContext().fail(InputError("x"))
    context = RunContext(keep_going=True)
    for n in range(1001):
        context.fail(InputError(str(n)))
    assert len(context.failures) == 1000
    assert context.counts["failed"] == 1001
