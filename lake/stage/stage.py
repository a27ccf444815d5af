"""What a stage is: one class that is a command, a YAML form, a Python object and a JSON Schema."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from lake.errors import UsageError
from lake.stage.problems import problems

if TYPE_CHECKING:
    from lake.dataset import Dataset, Sample


class Stage(BaseModel):
    """A transformation of a dataset into a dataset; its fields are its parameters.

    Subclass it with the name that the command line and YAML shall know, and define `apply`:

        class Newest(Stage, name="newest"):
            '''Keep the last samples.'''

            count: int = Field(10, ge=1, description="How many to keep.")

            def apply(self, dataset: Dataset) -> Dataset:
                return dataset[-self.count :]

    then `lake newest IN OUT --count 3`, `- newest: {count: 3}`, `dataset | Newest(count=3)`.

    `apply` is lazy where it can be: it returns a view, and work is done while that is read.
    A stage never changes its input. What a run asks for beyond the stage's own parameters (jobs,
    progress, dry run) is in `lake.stage.context.current()`.

    Raises:
        UsageError: a parameter is unknown, missing or of a wrong type or value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    stage_name: ClassVar[str] = ""
    """What the command line and YAML call it; empty for a base class."""

    repeatable: ClassVar[bool] = True
    """The same input and parameters give the same output, so an identical re-run is skipped."""

    shows_progress: ClassVar[bool] = False
    """It tells the run's progress itself what it does; else samples are counted as written."""

    def __init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.stage_name = name

    def __init__(self, **parameters: Any) -> None:
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            raise UsageError("; ".join(problems(error)), where=type(self).stage_name) from error

    def apply(self, dataset: Dataset) -> Dataset:
        """The transformed dataset, a view."""
        raise UsageError("this stage defines no apply()", where=type(self).__name__)

    def writing(self) -> dict[str, Any]:
        """How the result wants to be written: keyword arguments of `Dataset.write`."""
        return {}

    def __or__(self, other: Stage) -> Composition:
        """`a | b`: first a, then b."""
        if not isinstance(other, Stage):
            return NotImplemented
        return Composition(stages=(*steps(self), *steps(other)))

    def __ror__(self, dataset: Dataset) -> Dataset:
        """`dataset | stage` is `stage.apply(dataset)`."""
        return self.apply(dataset)

    def to_form(self) -> Any:
        """The stage as plain data: `{"clone": {"mode": "copy"}}`, defaults left out."""
        parameters = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {self.stage_name: parameters}

    def to_yaml(self) -> str:
        """The stage as it stands in a pipeline file: `- clone: {mode: copy}`."""
        from lake_schemas.yaml import dump_yaml

        forms = (dump_yaml(step.to_form()).decode() for step in steps(self))
        return "".join(textwrap.indent(form, "  ").replace("  ", "- ", 1) for form in forms)

    @staticmethod
    def from_yaml(text: str, *, where: str = "stages") -> Stage:
        """The stage, or composition, that a YAML text describes; the inverse of `to_yaml`.

        Only stages that are installed can be named, never code.

        Raises:
            NotFound: a stage is not installed.
            UsageError: the text is no list of stages, or a parameter is wrong.
            ManifestError: the text is no YAML that lake reads.
        """
        from lake.stage.form import parse_stages

        return parse_stages(text, where=where)


class SampleStage(Stage):
    """A stage that looks at one sample at a time, and so runs in any number of processes.

        class Upper(SampleStage, name="upper"):
            '''Write labels in capitals.'''

            def __call__(self, sample: Sample) -> Sample:
                return sample.set("label", sample["label"]().upper())

    Returning None drops the sample; returning several samples, with ids of their own, adds them.
    """

    def __call__(self, sample: Sample) -> Sample | Iterable[Sample] | None:
        """What becomes of one sample."""
        raise UsageError("this stage defines no __call__()", where=type(self).__name__)

    def apply(self, dataset: Dataset) -> Dataset:
        """Every sample through `__call__`, while the result is read.

        Where `__call__` is annotated to return a Sample and nothing else, the result's length
        is known beforehand.
        """
        returns = type(self).__call__.__annotations__.get("return")
        one_to_one = getattr(returns, "__name__", returns) == "Sample"
        if one_to_one:
            return dataset.map(cast("Callable[[Sample], Sample]", self))
        return dataset.flat_map(self)


class Composition(Stage):
    """Stages one after another; a composition is itself a stage."""

    stages: tuple[Stage, ...]

    def apply(self, dataset: Dataset) -> Dataset:
        """The dataset through every stage in turn."""
        for stage in self.stages:
            dataset = stage.apply(dataset)
        return dataset

    def writing(self) -> dict[str, Any]:
        """Every stage's wishes; of two that differ, the later one's."""
        wishes: dict[str, Any] = {}
        for stage in self.stages:
            wishes.update(stage.writing())
        return wishes

    def to_form(self) -> Any:
        """The stages' forms as a list."""
        return [stage.to_form() for stage in self.stages]


def steps(stage: Stage) -> tuple[Stage, ...]:
    """The single stages that a stage consists of."""
    return stage.stages if isinstance(stage, Composition) else (stage,)
