"""The model and text of `dataset.yaml`: what a dataset is, and where its remotes are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from lake_schemas.errors import FormatError
from lake_schemas.limits import check_size
from lake_schemas.names import NAME, check_file
from lake_schemas.remote import RemoteAddress
from lake_schemas.sample import SampleManifest, check_value
from lake_schemas.text import sample_from_raw, sample_to_raw
from lake_schemas.validate import checked, refuse_field
from lake_schemas.yaml import dump_yaml, load_yaml

VERSION = 1
"""The version of the format that this package writes, and the newest that it reads."""

Alias = Annotated[str, Field(pattern=f"^{NAME}$")]


class Descriptor(BaseModel):
    """A dataset's descriptor.

    `remotes` maps aliases to URLs without credentials, in the order in which to try them; a
    relative path is relative to the dataset directory. `shared` holds the items and values that
    every sample has, unless it has its own of that name. `schema_` ("schema" in text) is the
    path of a file in the dataset directory.

    >>> flowers = Descriptor(name="flowers", remotes={"main": "../s"})
    >>> print(dump_descriptor(flowers).decode(), end="")
    lake: 1
    name: flowers
    remotes:
      main: ../s
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    lake: Annotated[int, Field(ge=1, strict=True, description="Version of the format")] = VERSION
    name: Annotated[str, Field(pattern=f"^{NAME}$")] | None = None
    description: str | None = None
    layout: Literal["files", "packed"] = "files"
    format: Literal["json", "yaml"] = Field("json", description="Of new manifests")
    remotes: dict[Alias, str] = Field(default_factory=dict)
    shared: SampleManifest = Field(default_factory=SampleManifest)
    schema_: str | None = Field(default=None, alias="schema")
    meta: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("remotes")
    @classmethod
    def _check_remotes(cls, remotes: dict[str, str]) -> dict[str, str]:
        for alias, url in remotes.items():
            check_remote(alias, url)
        return remotes

    def model_post_init(self, context: Any, /) -> None:
        check_value(self.meta, "meta")
        check_value(self.description, "description")
        if self.schema_ is not None:
            check_file(self.schema_)
        if self.layout == "packed" and self.format != "json":
            raise FormatError("the packed layout is JSON only", hint="leave `format` out")


def check_remote(alias: str, url: str) -> RemoteAddress:
    """The address behind a URL, with errors that name the alias and nothing of the URL."""
    try:
        return RemoteAddress.parse(url)
    except FormatError as error:
        raise error.at(alias) from None


def load_descriptor(data: bytes, where: str) -> Descriptor:
    """The descriptor from the text of `dataset.yaml`.

    Raises:
        FormatError: text outside the format, or of a newer version of it.
    """
    raw = load_yaml(data, where=where)
    if not isinstance(raw, dict):
        raise FormatError("a descriptor is a mapping that starts with `lake: 1`", where=where)
    version = raw.get("lake")
    if type(version) is not int:
        raise FormatError("`lake: 1` is missing, so this is no dataset's descriptor", where=where)
    if version > VERSION:
        raise FormatError(
            f"format version {version} is newer than this lake, which reads up to {VERSION}",
            where=where,
            hint="pip install -U lake-datasets",
        )
    refuse_field(raw, "schema_", where)
    shared = raw.get("shared")
    if shared is not None:
        raw = {**raw, "shared": sample_from_raw(shared, f"{where}: shared")}
    return checked(lambda: Descriptor.model_validate(raw), where)


def dump_descriptor(descriptor: Descriptor) -> bytes:
    """Canonical YAML of a descriptor; fields that say nothing are left out."""
    raw: dict[str, Any] = {"lake": descriptor.lake}
    if descriptor.name is not None:
        raw["name"] = descriptor.name
    if descriptor.description is not None:
        raw["description"] = descriptor.description
    if descriptor.layout != "files":
        raw["layout"] = descriptor.layout
    if descriptor.format != "json":
        raw["format"] = descriptor.format
    if descriptor.remotes:
        raw["remotes"] = dict(descriptor.remotes)
    if descriptor.shared.items or descriptor.shared.values:
        shared = sample_to_raw(descriptor.shared)
        raw["shared"] = {part: found for part, found in shared.items() if found}
    if descriptor.schema_ is not None:
        raw["schema"] = descriptor.schema_
    if descriptor.meta:
        raw["meta"] = descriptor.meta
    data = dump_yaml(raw)
    check_size(data, "descriptor")
    return data
