"""`lake remote`: name, list, check and trust remotes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lake.cli.options import GROUP, DryRun, Json, Quiet
from lake.cli.output import Output, columns

if TYPE_CHECKING:
    from lake.config import Config, Remote, Scope
    from lake.store.check import Checked

command = typer.Typer(help="Name, list, check and trust remotes.", **GROUP)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The remote's alias.")]
Own = Annotated[
    bool, typer.Option("--user", help="In your own settings, for all projects of yours.")
]
Local = Annotated[
    bool, typer.Option("--local", help="In this checkout's own settings, which git ignores.")
]
From = Annotated[
    Path | None,
    typer.Option(
        "--dataset", metavar="DATASET", help="Also know the remotes that this dataset names."
    ),
]

FAILED = 7
"""Exit code when a remote does not do what it is for."""


@command.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it is: a URL or a folder.")],
    default: Annotated[
        bool, typer.Option("--default", "-d", help="Use it when a command is given no remote.")
    ] = False,
    user: Own = False,
    local: Local = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for an access key and its secret.")
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="FILE", help="A Google service account's key file."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Use this AWS profile (--user or --local).")
    ] = None,
    order: Annotated[
        int | None, typer.Option("--order", help="Lower ones are asked first.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Never write to it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a remote of that name.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name a remote: s3://bucket/prefix, gs://bucket, https://host/path, or a folder.

    A secret in the URL (s3://user:password@host:port/bucket) goes to your own store of secrets;
    the settings get the clean URL. Nothing is made or written at the remote itself.
    """
    from lake.config import Config
    from lake.config.manage import Wish, add_remote, place_of
    from lake.store.trust import remember

    out = Output(json=json, quiet=quiet)
    keys = _ask_for_keys() if ask else None
    wish = Wish(
        _scope(user, local), default, profile, read_only, order, keys, key_file, force, dry_run
    )
    config = Config.load()
    added = add_remote(config, name, url, wish)
    if not dry_run:
        config = Config.load()
        # What you typed yourself you trust; a teammate who pulls this file decides anew.
        remember(config.remote(name), config)
    facts = {
        "name": name,
        "url": added.url,
        "file": str(added.file),
        "default": added.default,
        "keys": added.keys,
    }
    would = "would be " if dry_run else ""
    text = f"{name} {would}{added.url} ({place_of(added.file)})"
    text += ", the default" if added.default else ""
    out.result(facts, f"{text}\nits keys {would}in {added.keys}" if added.keys else text)


@command.command("list")
def list_remotes(json: Json = False, quiet: Quiet = False) -> None:
    """List the remotes that the settings name here, the first to be asked on top."""
    from lake.config import Config

    out = Output(json=json, quiet=quiet)
    config = Config.load()
    rows = [
        {
            "name": remote.alias,
            "url": remote.url,
            "default": remote.alias == config.default,
            "origin": remote.origin.where,
            "read_only": remote.read_only,
            "replaces": remote.replaces,
        }
        for remote in config.remotes()
    ]
    if not rows:
        out.note("no remotes yet: lake remote add NAME URL")
    else:
        out.table(
            ["NAME", "URL", "", "NAMED IN"],
            [
                (row["name"], row["url"], "default" if row["default"] else "", row["origin"])
                for row in rows
            ],
        )
    out.result(rows)


@command.command()
def remove(
    name: Name,
    user: Own = False,
    local: Local = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forget a remote; what is stored there stays, and datasets that name it still do."""
    from lake.config import Config
    from lake.config.manage import place_of, remove_remote

    scope = _scope(user, local) if user or local else None
    file = remove_remote(Config.load(), name, scope, dry_run=dry_run)
    Output(json=json, quiet=quiet).result(
        {"name": name, "file": str(file)},
        f"{name} {'would be ' if dry_run else ''}removed from {place_of(file)}",
    )


@command.command()
def default(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="The alias; without it, say which one it is."),
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Have no default.")] = False,
    user: Own = False,
    local: Local = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which remote commands use when they are given none, or set it."""
    from lake.config import Config
    from lake.config.manage import place_of, set_default

    out = Output(json=json, quiet=quiet)
    config = Config.load()
    if name is None and not unset:
        out.result({"default": config.default}, config.default or "no default")
        return
    file = set_default(config, name, _scope(user, local), dry_run=dry_run)
    facts = {"default": name, "file": str(file)}
    out.result(facts, f"{name or 'no'} default in {place_of(file)}")


@command.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME_OR_URL]...", help="By default all that are named."),
    ] = None,
    dataset: From = None,
    no_write: Annotated[bool, typer.Option("--no-write", help="Do not try to write.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Try remotes out: who signs, whether reading, writing and listing work, how far they are.

    Writing is tried with a small object below .lake-check/ that is deleted again. The exit code
    is 7 when a remote does not do what it is for.
    """
    from lake.config import Config
    from lake.store.check import check as try_out

    out = Output(json=json, quiet=quiet)
    config = Config.load()
    declared = _declared(dataset)
    wanted = names or [*declared, *(r.alias for r in config.remotes() if r.alias not in declared)]
    remotes = [config.remote(name, declared=declared, base=dataset, typed=True) for name in wanted]
    if not remotes:
        out.note("no remotes yet: lake remote add NAME URL")
    found = [try_out(remote, config, write=not no_write) for remote in remotes]
    out.result([one.to_dict() for one in found], "\n\n".join(map(_card, found)) or None)
    return 0 if all(one.ok for one in found) else FAILED


@command.command()
def trust(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_URL", help="A remote's alias, or its URL.")
    ],
    dataset: From = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Trust it no longer.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let your credentials go to a remote's endpoint, or writes to a folder, that others named.

    It is written to your own settings, and holds for every remote at that endpoint.
    """
    from lake.config import Config
    from lake.store.trust import grant

    config = Config.load()
    remote = _find(config, name, dataset)
    named, changed = grant(remote, config, revoke=revoke, dry_run=dry_run)
    word = "no longer trusted" if revoke else "trusted"
    Output(json=json, quiet=quiet).result(
        {"trust": named, "changed": changed, "revoked": revoke},
        f"{named} is {word}" if changed else f"{named} was {word} already",
    )


def _find(config: Config, name: str, dataset: Path | None) -> Remote:
    """The remote; an alias may be one that a dataset here names."""
    from lake.fsio import is_file

    here = dataset or (Path() if is_file("dataset.yaml") else None)
    return config.remote(name, declared=_declared(here), base=here, typed=True)


def _declared(dataset: Path | None) -> dict[str, str]:
    from lake.errors import NotFound
    from lake_schemas.descriptor import load_descriptor

    if dataset is None:
        return {}
    path = dataset / "dataset.yaml"
    try:
        data = path.read_bytes()
    except OSError:
        raise NotFound("no dataset", where=str(dataset)) from None
    return dict(load_descriptor(data, str(path)).remotes)


def _card(found: Checked) -> str:
    """One remote's results, a fact a line."""
    trip = None if found.round_trip is None else f"{found.round_trip * 1000:.3g} ms"
    skew = None if found.clock_skew is None else f"{found.clock_skew:+.1f} s"
    facts = [
        ("named in", found.origin),
        ("credentials", found.source),
        ("trusted", found.trusted),
        ("read", _yes(found.can_read)),
        ("write", _yes(found.can_write)),
        ("list", _yes(found.can_list)),
        ("never overwrites", _yes(found.conditional_put)),
        ("round trip", trip),
        ("clock", skew),
        *(("problem", problem) for problem in found.problems),
    ]
    rows = [("  " + label, value) for label, value in facts if value is not None]
    head = f"{found.alias}  {found.url}  {'ok' if found.ok else 'FAILED'}"
    return "\n".join([head, *columns(rows)])


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _scope(user: bool, local: bool) -> Scope:
    from lake.config import Scope
    from lake.errors import UsageError

    if user and local:
        raise UsageError("--user and --local exclude each other")
    return Scope.USER if user else Scope.LOCAL if local else Scope.PROJECT


def _ask_for_keys() -> tuple[str, str]:
    access = typer.prompt("access key", err=True)
    return str(access), str(typer.prompt("secret key", hide_input=True, err=True))
