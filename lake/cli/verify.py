"""`lake verify`: check every copy of a dataset's blobs, and repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lake.cli.options import Dataset, Debug, Jobs, Json, KeepGoing, Keys, Quiet
from lake.cli.output import Output, size_text
from lake.errors import BlobUnavailable, IntegrityError, LakeError, ManifestError, RemoteError

if TYPE_CHECKING:
    from lake.transfer import VerifyReport

SHOWN = 50
"""Findings that people get to see; --json has up to 10,000."""


def command(
    dataset: Dataset,
    key: Keys = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read and hash all bytes, wherever they are.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put good bytes in the place of missing and bad ones.")
    ] = False,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Check blobs against their digests, and repair.

    Looks at every copy that the manifests name (own file, remotes) and at the cache: is it
    there, has it the right size, and with --read-data, are its bytes right. With --repair,
    missing and bad copies are written anew from a good one; a file of your own that you changed
    is left alone, and so is an object that lake did not put there. DATASET:ID takes one sample,
    or all below that part of the id.

    The exit code is 0 when all copies are good (or good again), 4 when bytes are wrong, 3 when
    blobs are missing, 7 when a remote did not answer, 5 when a manifest cannot be read.

    \b
    lake verify digits
    lake verify digits --read-data --repair
    """
    from lake.cli.mentions import blobs_of
    from lake.transfer import verify_blobs

    output = Output(json=json, quiet=quiet, debug=debug)
    broken: list[LakeError] = []
    blobs = blobs_of(dataset, key, broken.append if keep_going else None)
    progress = output.progress()
    blobs.announce(progress, "verify")
    try:
        report = verify_blobs(
            blobs.hub, blobs, read_data=read_data, repair=repair, jobs=jobs, progress=progress
        )
    finally:
        progress.finish()
    facts = {"dataset": str(dataset), **report.to_dict()}
    facts["ok"] = report.ok and not broken
    if broken:
        facts["manifests"] = [error.to_dict() for error in broken[:1000]]
    shown = [
        [one.state, f"{one.sample}: {one.key}" if one.sample else one.key, one.source, one.detail]
        for one in report.findings[:SHOWN]
    ]
    if shown:
        output.table(["STATE", "ITEM", "IN", "WHAT"], shown)
    if len(report.findings) > SHOWN:
        output.note(f"... and {len(report.findings) - SHOWN:,} more; --json lists them")
    for error in broken[:SHOWN]:
        output.warn(str(error))
    output.result(facts, _summary(report, repair))
    return ManifestError.exit_code if broken and report.ok else _exit_code(report)


def _summary(report: VerifyReport, repair: bool) -> str:
    counts = dict(report.counts)
    good = counts.pop("ok", 0)
    parts = [f"{report.blobs:,} blobs, {report.checked:,} copies: {good:,} good"]
    parts += [f"{count:,} {state}" for state, count in sorted(counts.items())]
    text = ", ".join(parts)
    if report.read:
        text += f"; {size_text(report.read)} read"
    if report.unavailable:
        text += f"\n{report.unavailable:,} blobs have no good copy left that can be reached"
    elif not report.ok and not repair and set(counts) & {"missing", "size", "corrupt"}:
        text += "\nlake verify --repair mends them from good copies"
    return text


def _exit_code(report: VerifyReport) -> int:
    states = {state for state, count in report.counts.items() if count}
    if states & {"corrupt", "size", "changed"}:
        return IntegrityError.exit_code
    if "missing" in states:
        return BlobUnavailable.exit_code
    if "unreachable" in states:
        return RemoteError.exit_code
    return 0 if report.ok else BlobUnavailable.exit_code
