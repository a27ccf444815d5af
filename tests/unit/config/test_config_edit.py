import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.config import Config, Scope, change
from lake.config.edit import edited
from lake.errors import ConfigError
from lake_schemas.yaml import load_yaml
from tests.person import write

COMMENTED = """\
# what the team shares
remotes:
  # the fast one
  main: s3://bucket/x  # in the cellar

  nas: /mnt/nas   # slow
# the end
default: main
"""


def test_comments_and_order_stay() -> None:
    after = edited(COMMENTED, {("remotes", "new"): "/new"}, where="t")
    assert after == COMMENTED.replace("# slow\n", "# slow\n  new: /new\n")
    after = edited(COMMENTED, {("remotes", "main"): "s3://other"}, where="t")
    assert "# the fast one\n  main: s3://other\n\n  nas" in after
    after = edited(COMMENTED, {("remotes", "nas"): None}, where="t")
    assert after == COMMENTED.replace("  nas: /mnt/nas   # slow\n", "")
    after = edited(COMMENTED, {("default",): "nas"}, where="t")
    assert after == COMMENTED.replace("default: main", "default: nas")
    after = edited(COMMENTED, {("order",): ["nas", "main"]}, where="t")
    assert after == COMMENTED + "order: [nas, main]\n"


def test_an_entry_of_many_lines_goes_as_a_whole() -> None:
    text = "remotes:\n  a:\n    url: /a\n    order: 3\n  b: /b\n"
    assert edited(text, {("remotes", "a"): None}, where="t") == "remotes:\n  b: /b\n"
    assert edited(text, {("remotes", "a"): "/new"}, where="t") == ("remotes:\n  a: /new\n  b: /b\n")


def test_the_last_entry_takes_its_section_along() -> None:
    assert edited("a: 1\nremotes:\n  x: /x\n", {("remotes", "x"): None}, where="t") == "a: 1\n"
    assert edited("remotes:\n  x: /x\n", {("remotes", "x"): None}, where="t") == ""


def test_flow_style_is_written_anew() -> None:
    after = edited("remotes: {a: /a}\n", {("remotes", "b"): "/b"}, where="t")
    assert load_yaml(after.encode(), where="t") == {"remotes": {"a": "/a", "b": "/b"}}


names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
values = st.one_of(
    st.text(max_size=12),
    st.integers(-99, 99),
    st.lists(names, max_size=3),
    st.fixed_dictionaries({"url": st.text("ab/:#'\"\n -", min_size=1, max_size=8)}),
)
edits = st.lists(
    st.tuples(
        st.one_of(st.tuples(st.just("top")), st.tuples(st.sampled_from("pq"), names)),
        st.one_of(st.none(), values),
    ),
    max_size=6,
)


@given(edits, edits)
def test_the_result_reads_as_intended(first: list, second: list) -> None:
    text, model = "# kept\n", {}
    for keys, value in [*first, *second]:
        text = edited(text, {keys: value}, where="t")
        inner = model if len(keys) == 1 else model.setdefault(keys[0], {})
        inner.pop(keys[-1], None) if value is None else inner.update({keys[-1]: value})
        model = {key: value for key, value in model.items() if value != {} or key == "top"}
    found = load_yaml(text.encode(), where="t") if text.replace("# kept", "").strip() else {}
    assert found == model


def test_a_change_makes_the_file_and_is_atomic(home: Path) -> None:
    file = Scope.PROJECT.file(None)
    assert file == home / "work/.lake/config.yaml"
    assert change(file, {("remotes", "a"): "../a", ("default",): "a"})
    assert not change(file, {("default",): "a"})
    assert Config.load().default == "a"
    assert list(file.parent.iterdir()) == [file]


def test_a_new_project_belongs_to_the_git_work_tree(home: Path) -> None:
    (home / ".git").mkdir()
    assert Scope.LOCAL.file(None) == home / ".lake/config.local.yaml"


def test_the_users_directory_is_private(home: Path) -> None:
    change(Scope.USER.file(None), {("default",): "x"})
    mode = stat.S_IMODE((home / ".config/lake").stat().st_mode)
    assert mode == 0o700


def test_a_users_link_is_followed_and_a_projects_is_not(home: Path) -> None:
    dotfiles = write(home / "dotfiles/lake.yaml", "default: a\n")
    own = home / ".config/lake/config.yaml"
    own.parent.mkdir(parents=True)
    own.symlink_to(dotfiles)
    change(own, {("default",): "b"})
    assert own.is_symlink()
    assert dotfiles.read_text() == "default: b\n"
    victim = write(home / "victim.yaml", "default: a\n")
    project = home / "work/.lake/config.yaml"
    project.parent.mkdir()
    project.symlink_to(victim)
    with pytest.raises(ConfigError, match="link out of it"):
        change(project, {("default",): "b"})
    assert victim.read_text() == "default: a\n"


def test_a_change_that_makes_no_sense_changes_nothing(home: Path) -> None:
    file = write(home / "work/.lake/config.yaml", "default: a\n")
    for edits in ({("remotes", "no good"): "/x"}, {("nonsense",): 1}, {("default", "x"): "y"}):
        with pytest.raises(ConfigError):
            change(file, edits)
    assert file.read_text() == "default: a\n"


def test_many_writers_lose_nothing(home: Path) -> None:
    file = Scope.USER.file(None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: change(file, {("remotes", f"r{n}"): f"/{n}"}), range(40)))
    assert len(Config.load().remotes()) == 40
