"""The models and texts of configuration: `.lake/config.yaml`, shared in git and free of
credentials, and a person's own `config.yaml`, which may also name credentials and trust."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from lake_schemas.descriptor import Alias, check_remote
from lake_schemas.errors import FormatError, quoted
from lake_schemas.limits import check_size
from lake_schemas.validate import checked
from lake_schemas.yaml import dump_yaml, load_yaml

_size = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]i?)?B?").fullmatch
_UNITS = {"": 1} | {
    f"{letter}{i}": base**power
    for power, letter in enumerate("KMGT", start=1)
    for i, base in (("", 1000), ("i", 1024))
}

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:@/-]{0,127}$")]
"""The name under which a person's store of secrets keeps credentials; never the secret."""


def parse_size(text: int | str) -> int:
    """Bytes from "20 GiB", "500MB" or a plain number.

    >>> parse_size("1.5 KiB")
    1536
    """
    if isinstance(text, int):
        if text < 0:
            raise FormatError("a size is not negative")
        return text
    found = _size(text.strip())
    if found is None:
        raise FormatError(f"{quoted(text)} is no size", hint="such as 20 GiB or 500 MB")
    return int(float(found[1]) * _UNITS[found[2] or ""])


class RemoteEntry(BaseModel):
    """One remote in a configuration file; in text its URL alone where it has nothing else.

    `profile` is that of an SDK's own configuration (AWS, mc); `credentials` a name in the
    person's store of secrets; `order` says when to try it, low numbers first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    profile: Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,128}$")] | None = None
    credentials: Reference | None = None
    order: Annotated[int, Field(strict=True)] | None = None
    driver: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] | None = None
    read_only: Annotated[bool, Field(strict=True)] = False

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        check_remote("url", url)
        return url


def _entry(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


Entry = Annotated[RemoteEntry, BeforeValidator(_entry, json_schema_input_type=str | RemoteEntry)]


class ProjectConfig(BaseModel):
    """What a team shares: remotes, the default one, the order of trying them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remotes: dict[Alias, Entry] = Field(default_factory=dict)
    default: Alias | None = None
    order: list[Alias] = Field(default_factory=list)

    @field_validator("remotes")
    @classmethod
    def _no_personal_settings(cls, remotes: dict[str, RemoteEntry]) -> dict[str, RemoteEntry]:
        if cls is ProjectConfig:
            for alias, entry in remotes.items():
                if entry.credentials is not None or entry.profile is not None:
                    raise FormatError(
                        "credentials and profiles are a person's own",
                        where=alias,
                        hint="move them to .lake/config.local.yaml or the user's config.yaml",
                    )
        return remotes


class TrustConfig(BaseModel):
    """To whom a person's credentials may go: endpoints ("https://host:port") and remotes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoints: list[str] = Field(default_factory=list)
    remotes: list[str] = Field(default_factory=list)

    @field_validator("endpoints", "remotes")
    @classmethod
    def _no_credentials(cls, found: list[str]) -> list[str]:
        if any("@" in text for text in found):
            raise FormatError("names no user or password", hint="only https://host:port")
        return found


class CacheConfig(BaseModel):
    """The blob cache: its folder, and how big it may grow ("20 GiB", or bytes)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1)] | None = None
    max_size: int | str | None = None

    @field_validator("max_size")
    @classmethod
    def _check_size(cls, size: int | str | None) -> int | str | None:
        if size is not None:
            parse_size(size)
        return size

    @property
    def max_bytes(self) -> int | None:
        """`max_size` in bytes."""
        return None if self.max_size is None else parse_size(self.max_size)


class UserConfig(ProjectConfig):
    """A person's own: all that a project may say, plus mirrors, trust, cache, credentials.

    `replace` maps an alias to a URL that serves the same blobs from nearer by.
    """

    replace: dict[Alias, str] = Field(default_factory=dict)
    trust: TrustConfig = Field(default_factory=TrustConfig)
    cache: CacheConfig = Field(default_factory=CacheConfig)

    @field_validator("replace")
    @classmethod
    def _check_replace(cls, replace: dict[str, str]) -> dict[str, str]:
        for alias, url in replace.items():
            check_remote(alias, url)
        return replace


Config = TypeVar("Config", bound=ProjectConfig)


def load_config(data: bytes, model: type[Config], *, where: str) -> Config:
    """A configuration file's text as `ProjectConfig` or `UserConfig`; empty text says nothing.

    Raises:
        FormatError: text outside the format. Secrets in it are not repeated.
    """
    raw = None if not data.strip() else load_yaml(data, where=where)
    return checked(lambda: model.model_validate({} if raw is None else raw), where)


def dump_config(config: ProjectConfig) -> bytes:
    """Canonical YAML of a configuration; what says nothing is left out."""
    raw: dict[str, Any] = config.model_dump(exclude_defaults=True)
    if config.remotes:
        raw["remotes"] = {alias: _entry_to_raw(e) for alias, e in config.remotes.items()}
    raw = {name: value for name, value in raw.items() if value not in ({}, [], None)}
    data = dump_yaml(raw)
    check_size(data, "config")
    return data


def _entry_to_raw(entry: RemoteEntry) -> Any:
    raw = entry.model_dump(exclude_defaults=True)
    return raw["url"] if len(raw) == 1 else raw
