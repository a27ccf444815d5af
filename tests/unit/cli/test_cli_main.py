"""The frame of the command line: dispatch, errors and exit codes, start-up, completion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lake import errors
from lake.cli import complete, completion, failures, main, options, verbs
from lake.cli.output import Output, columns, size_text

HEAVY = ("pydantic", "typer", "rich", "numpy", "boto3", "minio", "obstore", "yaml", "sqlite3")


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args], capture_output=True, text=True
    )


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a verb called `try` of a function."""

    def make(function: Any) -> None:
        monkeypatch.setattr(main, "find_command", lambda name, argv=(): options.build(function))

    return make


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["__complete", "re"], ["-h"], []])
def test_starting_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from lake.cli.main import run; assert run(sys.argv[1:]) == 0;"
        f"bad = [m for m in {HEAVY} if m in sys.modules]; assert not bad, bad"
    )
    done = python(code, *words)
    assert done.returncode == 0, done.stderr


def test_the_overview_names_every_verb_and_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    out = capsys.readouterr().out
    for name, entry in verbs.VERBS.items():
        assert f"  {name} " in out
        assert entry.help in out
    assert "Upload blobs to remotes; the result's manifests point there." in out


def test_every_verb_of_the_table_has_a_command() -> None:
    for name in verbs.VERBS:
        command = main.find_command(name)
        assert command.help, name


def test_the_tables_help_is_the_verbs_own() -> None:
    for name, entry in verbs.VERBS.items():
        first = main.find_command(name).help.split("\n\n")[0].replace("\n", " ").strip()
        assert first == entry.help, name


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError("a"),
        errors.NotFound("a", where="b", hint="c"),
        errors.BlobUnavailable("a", attempts=[("main", "gone")]),
        errors.IntegrityError("a"),
        errors.ManifestError("a"),
        errors.ConfigError("a"),
        errors.RemoteError("a"),
        errors.AccessDenied("a"),
        errors.UntrustedRemote("a"),
        errors.ConflictError("a"),
        errors.InputError("a"),
        errors.DiskError("a"),
        errors.PartialFailure("a", failures=[errors.InputError("b")]),
        errors.Unsupported("a"),
    ],
)
def test_an_error_is_said_on_stderr_and_in_the_exit_code(
    error: errors.LakeError, verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        """Fail."""
        raise error

    verb(command)
    assert main.run(["try"]) == error.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: {error}\n"


def test_an_error_is_json_where_json_was_asked_for(
    verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(json: options.Json = False) -> None:
        """Fail."""
        raise errors.NotFound("no such sample", where="x")

    verb(command)
    assert main.run(["try", "--json"]) == 3
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "error": {"kind": "not-found", "what": "no such sample", "where": "x"}
    }
    assert said.err == "error: no such sample: x\n"


def test_a_fault_of_lakes_own_is_short_unless_debugging(
    verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(debug: options.Debug = False) -> None:
        """Fail."""
        raise RuntimeError("oops")

    verb(command)
    assert main.run(["try"]) == failures.UNEXPECTED
    err = capsys.readouterr().err
    assert "RuntimeError: oops" in err
    assert "--debug" in err
    assert "Traceback" not in err
    assert main.run(["try", "--debug"]) == failures.UNEXPECTED
    assert "Traceback" in capsys.readouterr().err


def test_P9_what_looks_like_a_secret_is_scrubbed_from_any_error(
    verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(json: options.Json = False, debug: options.Debug = False) -> None:
        """Fail."""
        raise RuntimeError("cannot open s3://me:hunter2secret@host/bucket")

    verb(command)
    main.run(["try", "--json", "--debug"])
    said = capsys.readouterr()
    assert "hunter2secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["init", "--bogus"], "No such option: --bogus"),
        (["clone"], "Missing argument"),
        (["clon"], "no such verb or stage: clon\n  hint: did you mean clone?"),
        (["no-such-thing"], "no such verb or stage: no-such-thing\n  hint: lake --help"),
    ],
)
def test_a_wrong_call_is_exit_2_and_says_what_to_do(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "hint: " in err


def test_ctrl_c_is_130_and_says_how_to_go_on(verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        """Fail."""
        raise KeyboardInterrupt

    verb(command)
    assert main.run(["try"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "import sys; from lake.cli.main import main; sys.argv = ['lake', '--help']; main()"
    line = f'{sys.executable} -c "{code}" | true; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.stdout.strip() == "0"
    assert done.stderr == ""


def test_output_goes_where_the_options_say(capsys: pytest.CaptureFixture[str]) -> None:
    for out in (Output(), Output(json=True), Output(quiet=True)):
        out.result({"n": 1}, "one")
        out.table(["N"], [[1]])
        out.note("by the way")
        out.warn("careful")
    said = capsys.readouterr()
    assert said.out == 'one\nN\n1\n{\n  "n": 1\n}\n'
    assert said.err == "by the way\nwarning: careful\n" + "warning: careful\n" * 2


def test_names_that_are_not_utf8_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Output().result(None, "a\udcffb")
    assert "b" in capsys.readouterr().out


def test_columns_and_sizes() -> None:
    assert columns([["A", "LONG"], ["xyz", 1]]) == ["A    LONG", "xyz  1"]
    assert [size_text(n) for n in (0, 1023, 1024, 1 << 20, 1 << 50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.0 MiB",
        "1024.0 TiB",
    ]


def test_bars_count_items_bytes_and_rate() -> None:
    import io

    from rich.console import Console

    from lake.cli.bars import Bars

    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=120))
    bars.start("upload", items=4, size=4 << 20)
    bars.advance(items=2, size=1 << 20)
    bars.start("again")
    bars.advance(items=1)
    bars.finish()
    bars.finish()
    text = screen.getvalue()
    assert "upload" in text
    assert "2/4" in text
    assert "1.0 MiB/4.0 MiB" in text
    assert "/s" in text


def words(*typed: str) -> list[str]:
    return [value for value, _ in complete.candidates(list(typed))]


def test_completion_of_names_options_and_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words("cl") == ["clone"]
    assert {"remote", "remote-add", "remote-remove"} <= set(words("rem"))
    assert words("help", "clo") == ["clone"]
    assert words("clone", "--mo") == ["--mode", "--module"]
    assert words("clone", "--mode", "hard") == ["hardlink"]
    assert words("clone", "--layout", "") == ["files", "packed"]
    assert words("clone", "a") == []
    assert "add" in words("remote", "a")
    assert words("completion", "") == []


def test_completion_of_remotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".lake").mkdir()
    (tmp_path / ".lake" / "config.yaml").write_text("remotes:\n  main: ./store\n  nas: ./nas\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKE_CONFIG_DIR", str(tmp_path / "none"))
    assert words("remote-add", "in", "out", "-r", "m") == ["main"]


def test_completion_never_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["__complete", "nonsense", "--x"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shell", sorted(completion.SCRIPTS))
def test_a_script_for_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["completion", shell]) == 0
    assert "lake __complete" in capsys.readouterr().out


def test_no_script_for_other_shells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["completion", "csh"]) == 2


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from lake.cli.main import main; main()' \"$@\"\n"
    )
    lake.chmod(0o755)
    script = (
        f'PATH={tmp_path}:$PATH; eval "$(lake completion bash)"; '
        "COMP_WORDS=(lake remote-r); COMP_CWORD=1; _lake; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "remote-remove", done.stderr
