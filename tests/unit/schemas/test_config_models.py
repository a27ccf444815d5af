from __future__ import annotations

import pytest

from lake_schemas.config import (
    ProjectConfig,
    RemoteEntry,
    UserConfig,
    dump_config,
    load_config,
    parse_size,
)
from lake_schemas.errors import FormatError

USER = b"""\
remotes:
  main: ../store
  lab:
    url: s3://data?endpoint=https://minio.example.org:9000
    profile: lab
    credentials: minio.example.org
    order: 1
default: main
order: [lab, main]
replace:
  main: /mnt/mirror
trust:
  endpoints: ["https://minio.example.org:9000"]
cache:
  max_size: 20 GiB
"""


def test_a_persons_own_file_reads_and_writes_back() -> None:
    config = load_config(USER, UserConfig, where="config.yaml")
    assert config.remotes["main"] == RemoteEntry(url="../store")
    assert config.remotes["lab"].profile == "lab"
    assert config.cache.max_bytes == 20 * 2**30
    text = dump_config(config)
    assert load_config(text, UserConfig, where="x") == config
    assert dump_config(load_config(text, UserConfig, where="x")) == text
    assert text.startswith(b"remotes:\n  main: ../store\n  lab:\n    url: s3://data?endpoint=")


def test_an_empty_file_says_nothing() -> None:
    assert load_config(b"", ProjectConfig, where="x") == ProjectConfig()
    assert load_config(b" \n", UserConfig, where="x") == UserConfig()
    assert dump_config(ProjectConfig()) == b"{}\n"
    assert load_config(b"{}\n", ProjectConfig, where="x") == ProjectConfig()


@pytest.mark.parametrize(
    "text",
    [
        "remotes: {main: {url: ../x, credentials: mine}}",
        "remotes: {main: {url: ../x, profile: mine}}",
        "trust: {endpoints: []}",
        "replace: {a: ../x}",
        "cache: {}",
    ],
)
def test_a_shared_file_holds_nothing_personal(text: str) -> None:
    load_config(text.encode(), UserConfig, where="x")
    with pytest.raises(FormatError):
        load_config(text.encode(), ProjectConfig, where="x")


@pytest.mark.parametrize(
    "text",
    [
        "remotes: {main: 's3://me:SECRET@h:9000/b'}",
        "remotes: {main: {url: 's3://b?secret=SECRET'}}",
        "remotes: {'s3://me:SECRET@h/b': ../x}",
        "remotes: {main: {url: ../x, secret_key: SECRET}}",
        "remotes: {main: {url: ../x, credentials: 'SECRET SECRET'}}",
        "remotes: {main: [SECRET]}",
        "replace: {main: 's3://me:SECRET@h/b'}",
        "replace: {'s3://me:SECRET@h/b': ../x}",
        "trust: {endpoints: ['https://me:SECRET@h']}",
        "default: 's3://me:SECRET@h/b'",
        "order: ['s3://me:SECRET@h/b']",
        "remotes: {'s3://me:SECRET@h': ../x, 's3://me:SECRET@h': ../x}",
        "cache: {max_size: 's3://me:SECRET@h'}",
    ],
)
def test_P9_errors_repeat_no_secret(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_config(text.encode(), UserConfig, where="config.yaml")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (0, 0),
        (5, 5),
        ("5", 5),
        ("5 B", 5),
        ("2kB", None),
        ("2 KB", 2000),
        ("1.5 KiB", 1536),
        ("20 GiB", 20 * 2**30),
        ("1T", 10**12),
        ("9" * 400, None),
        ("-1", None),
        (-1, None),
        ("", None),
    ],
)
def test_sizes(text: int | str, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(FormatError):
            parse_size(text)
    else:
        assert parse_size(text) == expected
