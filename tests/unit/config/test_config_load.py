from pathlib import Path

import pytest

from lake.config import Config, cache_dir, find_project
from lake.errors import ConfigError
from tests.person import write


def test_without_any_file_there_is_nothing(home: Path) -> None:
    config = Config.load()
    assert config.files == ()
    assert config.project is None
    assert config.default is None
    assert config.remotes() == []
    assert [(row.key, row.where) for row in config.explain()] == [("cache.path", "the default")]


def test_the_project_is_found_upward(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "default: main\nremotes:\n  main: ../store\n")
    deep = home / "work/a/b/c"
    deep.mkdir(parents=True)
    assert find_project(deep) == home / "work"
    config = Config.load(deep)
    assert config.default == "main"
    assert config.remote("main").folder == home / "work/store"


def test_a_relative_folder_is_relative_to_the_file_that_names_it(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "remotes: {a: ../store, b: ./in-lake}\n")
    write(home / ".config/lake/config.yaml", "remotes: {c: ../mine}\n")
    config = Config.load()
    assert config.remote("a").folder == home / "work/store"
    assert config.remote("b").folder == home / "work/.lake/in-lake"
    assert config.remote("c").folder == home / ".config/mine"


def test_nearest_to_the_person_wins(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "default: p\nremotes: {x: /project, y: /project}\n")
    write(home / ".config/lake/config.yaml", "default: u\nremotes: {x: /user, y: /user}\n")
    write(home / "work/.lake/config.local.yaml", "remotes: {x: /local}\n")
    config = Config.load()
    assert config.remote("x").folder == Path("/local")
    assert config.remote("y").folder == Path("/user")
    assert config.default == "u"
    rows = {row.key: row for row in config.explain()}
    assert rows["remotes.x"].value == "/local"
    assert rows["remotes.x"].where.endswith("config.local.yaml:1")
    assert rows["remotes.y"].where == "~/.config/lake/config.yaml:2"
    assert rows["default"].where == "~/.config/lake/config.yaml:1"


def test_a_datasets_alias_keeps_its_meaning(home: Path) -> None:
    write(home / ".config/lake/config.yaml", "remotes: {main: /my/own/main}\n")
    write(home / "work/.lake/config.yaml", "remotes: {main: /team/main}\n")
    config = Config.load()
    declared = {"main": "/data/set"}
    assert config.remote("main", declared=declared).folder == Path("/data/set")
    assert config.remote("main").folder == Path("/my/own/main")
    write(home / "work/.lake/config.local.yaml", "remotes: {main: /for/this/checkout}\n")
    found = Config.load().remote("main", declared=declared)
    assert found.folder == Path("/for/this/checkout")


def test_a_mirror_stands_in_and_is_never_written_down(home: Path) -> None:
    write(home / ".config/lake/config.yaml", "replace:\n  main: /nearer\n")
    config = Config.load()
    found = config.remote("main", declared={"main": "s3://far/away"}, base=home / "work")
    assert found.folder == Path("/nearer")
    assert found.alias == "main"
    assert found.url_from(home / "work") == "s3://far/away"
    assert config.remote("main").folder == Path("/nearer")


def test_order_is_the_persons(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "order: [c]\nremotes: {a: /a, b: /b, c: /c, d: /d}\n")
    assert Config.load().order(["a", "b", "c"]) == ["c", "a", "b"]
    write(
        home / ".config/lake/config.yaml",
        "order: [d, b]\nremotes:\n  a: {url: /a, order: 9}\n  e: {url: /e, order: -1}\n",
    )
    config = Config.load()
    assert config.order(["a", "b", "c", "d", "e"]) == ["d", "b", "e", "c", "a"]
    assert [remote.alias for remote in config.remotes()] == ["d", "b", "e", "c", "a"]


def test_an_unknown_alias_says_what_is_known(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "remotes: {nas: /nas}\n")
    with pytest.raises(ConfigError, match=r"no remote 'nope'(.|\n)*known: main, nas"):
        Config.load().remote("nope", declared={"main": "/x"})


def test_the_cache_is_the_users_to_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / "work/.lake/config.local.yaml", "cache: {path: /tmp/elsewhere, max_size: 1}\n")
    config = Config.load()
    assert config.cache_path == cache_dir() == home / ".cache/lake"
    assert config.cache_max_size is None
    write(home / ".config/lake/config.yaml", "cache: {path: /fast/disk, max_size: 2 GiB}\n")
    config = Config.load()
    assert config.cache_path == Path("/fast/disk")
    assert config.cache_max_size == 2 << 30
    monkeypatch.setenv("LAKE_CACHE_DIR", "/from/env")
    assert config.cache_path == Path("/from/env")
    monkeypatch.delenv("LAKE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert cache_dir() == home / "xdg/lake"


def test_places_follow_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    write(home / "xdg/lake/config.yaml", "default: one\n")
    assert Config.load().default == "one"
    monkeypatch.setenv("LAKE_CONFIG_DIR", str(home / "own"))
    write(home / "own/config.yaml", "default: two\n")
    assert Config.load().default == "two"


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n# nothing\n{}\n"])
def test_a_file_that_says_nothing(home: Path, text: str) -> None:
    write(home / "work/.lake/config.yaml", text)
    assert Config.load().remotes() == []


@pytest.mark.parametrize("name", ["config.yaml", "config.local.yaml"])
@pytest.mark.parametrize("whole", [False, True])
def test_P8_settings_in_a_checkout_are_no_link_out_of_it(
    home: Path, name: str, whole: bool
) -> None:
    write(home / "private" / name, "root:*:20228\n")
    if whole:
        (home / "work/.lake").symlink_to(home / "private")
    else:
        (home / "work/.lake").mkdir()
        (home / f"work/.lake/{name}").symlink_to(home / f"private/{name}")
    with pytest.raises(ConfigError, match="link out of it") as caught:
        Config.load()
    assert "20228" not in str(caught.value)
    (home / "work/.lake").rename(home / "gone")
    # Within the checkout a link is as good as a file.
    write(home / "work/shared.yaml", "default: main\n")
    (home / "work/.lake").mkdir()
    (home / f"work/.lake/{name}").symlink_to("../shared.yaml")
    assert Config.load().default == "main"
