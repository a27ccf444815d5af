"""`lake init`: a new dataset, empty, of files, or over the objects of a bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lake.cli.options import (
    ANY_PATH,
    FORMATS,
    LAYOUTS,
    Debug,
    DryRun,
    Jobs,
    Json,
    KeepGoing,
    Quiet,
    one_of,
)
from lake.cli.output import Output, size_text
from lake.errors import PartialFailure, UsageError

if TYPE_CHECKING:
    from lake.importers.group import Grouping
    from lake.importers.init import InitReport

Out = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", help="The dataset directory to make.", show_default=False, **ANY_PATH
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DIR|URL",
        help="A directory of files, or a bucket whose objects stay where they are.",
        show_default=False,
    ),
]
SourceFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="[auto|tree|underfolder]",
        help="How the directory is laid out.",
    ),
]
OnePerFile = Annotated[
    bool, typer.Option("--one-per-file", help="Every file is a sample of its own.")
]
OnePerDirectory = Annotated[
    bool, typer.Option("--one-per-directory", help="The files of one directory are one sample.")
]
Pattern = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="Which files make a sample: matches a whole path, with groups id and key.",
        show_default=False,
    ),
]
Parent = Annotated[
    str | None,
    typer.Option(
        metavar="[partition|label]",
        help="The parent directory's name becomes the partition, or the value label.",
        show_default=False,
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--item",
        metavar="EXT=KEY",
        help="What items of an extension are called: txt=caption.",
        show_default=False,
    ),
]
Inline = Annotated[
    str | None,
    typer.Option(
        metavar="KINDS",
        help="Small files that become values in the manifest: json,yaml,toml,txt.",
        show_default=False,
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Only files like this.", show_default=False),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="No files or directories like this.", show_default=False),
]
Remote = Annotated[
    list[str] | None,
    typer.Option(
        "--remote",
        "-r",
        metavar="REMOTE",
        help="Upload to this alias or URL in the same pass, without a local copy.",
        show_default=False,
    ),
]
Alias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What the bucket is called.", show_default=False),
]
Mode = Annotated[
    str,
    typer.Option(
        "--mode",
        "-m",
        metavar="[auto|copy|reflink|hardlink|symlink]",
        help="How files get into the dataset; auto shares blocks where it can, else copies.",
    ),
]
Layout = Annotated[
    str | None,
    typer.Option(
        metavar="[files|packed]",
        help="One manifest file a sample, or many samples a file. Default: files.",
        show_default=False,
    ),
]
Text = Annotated[
    str | None,
    typer.Option(
        metavar="[json|yaml]", help="Manifests as JSON or YAML. Default: json.", show_default=False
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="The dataset's name. Default: of OUT.", show_default=False
    ),
]
Update = Annotated[
    bool,
    typer.Option(
        "--update", help="Add what is new, renew what changed, remove nothing; OUT may be there."
    ),
]


def command(
    out: Out,
    source: From = None,
    format: SourceFormat = "auto",
    one_per_file: OnePerFile = False,
    one_per_directory: OnePerDirectory = False,
    pattern: Pattern = None,
    parent: Parent = None,
    item: Names = None,
    inline: Inline = None,
    include: Include = None,
    exclude: Exclude = None,
    remote: Remote = None,
    alias: Alias = None,
    mode: Mode = "auto",
    layout: Layout = None,
    text: Text = None,
    name: Name = None,
    update: Update = False,
    dry_run: DryRun = False,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a dataset, empty or from files and buckets.

    Files of one directory that differ only by their extension make one sample, called by its
    path; its items are called by what they are: image, audio, text, meta ... Names that lake
    cannot keep are made legal, and the value "original" says what they were. Hidden files are
    left out.

    \b
    lake init pets --from ./pictures --parent label
    lake init pets --from ./pictures --inline json,txt --update
    lake init pets --from ./pictures -r s3://bucket/prefix
    lake init scans --from s3://bucket/2019/scans
    """
    from lake.importers.init import init_dataset
    from lake.importers.options import InitOptions
    from lake.importers.walk import Globs
    from lake.stage import RunContext

    out_ = Output(json=json, quiet=quiet, debug=debug)
    options = InitOptions(
        source=source,
        format=one_of("--format", format, ("auto", "tree", "underfolder")),
        grouping=_grouping(one_per_file, one_per_directory, pattern, parent, item or []),
        globs=Globs(include, exclude),
        inline=_kinds(inline),
        remotes=tuple(remote or ()),
        alias=alias,
        mode=one_of("--mode", mode, ("auto", "copy", "reflink", "hardlink", "symlink")),
        layout=one_of("--layout", layout, LAYOUTS),
        text=one_of("--text", text, FORMATS),
        name=_legal("--name", name),
        update=update,
    )
    context = RunContext(
        jobs=jobs, progress=out_.progress(), keep_going=keep_going, dry_run=dry_run
    )
    report = init_dataset(out, options, context)
    words = _summary(report)
    if report.failures:
        raise PartialFailure(
            f"{report.counts['failed']:,} failed, the rest is done ({words})",
            failures=report.failures,
            hint="mend the cause and run it again with --update",
        )
    out_.result(report.to_dict(), words)


def _legal(option: str, name: Any) -> Any:
    from lake_schemas.errors import FormatError
    from lake_schemas.names import check_name

    try:
        return name if name is None else check_name(name)
    except FormatError as error:
        raise UsageError(f"{option}: {error.what}", hint=error.hint) from None


def _kinds(text: str | None) -> frozenset[str]:
    from lake.importers.inline import KINDS

    kinds = frozenset((text or "").split(",")) - {""}
    for kind in sorted(kinds):
        one_of("--inline", kind, KINDS)
    return kinds


def _grouping(
    one_per_file: bool,
    one_per_directory: bool,
    pattern: str | None,
    parent: str | None,
    items: list[str],
) -> Grouping:
    from lake.importers.group import Grouping

    if one_per_file + one_per_directory + (pattern is not None) > 1:
        raise UsageError("only one of --one-per-file, --one-per-directory and --pattern")
    keys = {}
    for pair in items:
        ext, _, key = pair.partition("=")
        keys[ext.lower().lstrip(".")] = _legal(f"--item {pair}", key)
    return Grouping(
        by="file" if one_per_file else "directory" if one_per_directory else "stem",
        pattern=None if pattern is None else _compiled(pattern),
        parent=one_of("--parent", parent, ("partition", "label")),
        keys=keys,
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    hint = r"like '(?P<key>\w+)/(?P<id>\d+)\.\w+'"
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--pattern: {error}", hint=hint) from None
    if "id" not in found.groupindex:
        raise UsageError("--pattern: it has no group called id", hint=hint)
    return found


def _summary(report: InitReport) -> str:
    counts = report.counts
    parts = [f"{report.samples:,} samples"]
    for name, text in (
        ("added", "{:,} added"),
        ("changed", "{:,} changed"),
        ("known", "{:,} known"),
        ("kept", "{:,} kept without a file"),
        ("uploaded", "{:,} uploaded"),
    ):
        if counts.get(name) and not (name == "added" and counts[name] == report.samples):
            parts.append(text.format(counts[name]))
    if counts.get("unchanged") and not (counts.get("added") or counts.get("changed")):
        parts.append("nothing new")
    if counts.get("bytes"):
        parts.append(size_text(counts["bytes"]))
    return f"{'would make ' if report.dry_run else ''}{report.output}: {', '.join(parts)}"
