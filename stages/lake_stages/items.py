"""Which samples and items a stage works on: keys, start, stop, step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lake.dataset import Dataset, Item, Sample

Keys = Annotated[
    list[str],
    Field(
        description="Names of the items. Default: all.",
        json_schema_extra={"short": "-k", "option": "--key", "metavar": "KEY"},
    ),
]
Start = Annotated[
    int | None, Field(description="First sample, by position; negative counts from the end.")
]
Stop = Annotated[int | None, Field(description="Sample before which to stop, by position.")]
Step = Annotated[int | None, Field(ge=1, description="Only every Nth sample.")]


class Choice(BaseModel):
    """The blob items of the chosen keys, in the chosen samples; picklable."""

    model_config = ConfigDict(frozen=True)

    keys: frozenset[str] = frozenset()
    ids: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        keys: Sequence[str],
        start: int | None,
        stop: int | None,
        step: int | None,
    ) -> Choice:
        """The choice that a stage's fields make."""
        ids = None
        if (start, stop, step) != (None, None, None):
            ids = frozenset(dataset[start:stop:step].ids)
        return cls(keys=frozenset(keys), ids=ids)

    def takes(self, key: str) -> bool:
        """Whether items of that name are meant."""
        return not self.keys or key in self.keys

    def items(self, sample: Sample) -> Iterator[tuple[str, Item]]:
        """The blobs meant in one sample, by name; as read, not those that all samples share."""
        if self.ids is not None and sample.id not in self.ids:
            return
        backing = sample.backing
        # Asking a sample for its names sorts them; its manifest has them already.
        names = sample if backing is None else backing.manifest.items
        for key in names:
            if self.takes(key):
                item = sample[key]
                if item.is_blob:
                    yield key, item
