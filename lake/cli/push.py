"""`lake push`: upload a dataset's blobs, and note in its manifests where they are."""

from __future__ import annotations

from typing import Annotated

import typer

from lake.cli.options import Dataset, Debug, DryRun, Jobs, Json, KeepGoing, Keys, Quiet, Remotes
from lake.cli.output import Output, size_text
from lake.errors import PartialFailure


def command(
    dataset: Dataset,
    remote: Remotes = None,
    key: Keys = None,
    recheck: Annotated[
        bool,
        typer.Option("--recheck", help="Ask the remotes for every blob; believe no memory."),
    ] = False,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Upload a dataset's blobs to remotes.

    Sends what the dataset's own files hold and the remotes lack, and adds the remotes to the
    manifests, which keep their files. Without --remote the default remote gets them. A manifest
    names a remote only once the blob is durable there. Interrupted, the same command goes on
    where it was.

    To let go of the files, too: lake remote-add DATASET --in-place. To copy what lies in another
    remote only: lake remote-add DATASET --in-place --keep-files.

    \b
    lake push digits
    lake push digits -r main -r s3://bucket/prefix -j 16
    """
    from lake.dataset import open_dataset
    from lake.stage.context import RunContext, running
    from lake.stage.registry import find_stage

    output = Output(json=json, quiet=quiet, debug=debug)
    stage = find_stage("remote-add").model_validate(
        {"remotes": remote or [], "keys": key or [], "from_remote": False, "keep_files": True}
    )
    run = RunContext(
        jobs=jobs,
        progress=output.progress(),
        keep_going=keep_going,
        dry_run=dry_run,
        recheck=recheck,
    )
    failures = run.failures
    with running(run):
        try:
            pushed = stage.apply(open_dataset(dataset))
            if dry_run:
                for _ in pushed:
                    pass
            else:
                pushed.write(dataset, in_place=True, keep_going=keep_going, jobs=jobs)
        except PartialFailure as error:
            failures = [*failures, *error.failures]
        finally:
            run.progress.finish()
    # One cause fails many blobs, and is told once.
    failures = list({str(error): error for error in failures}.values())
    counts = run.counts
    facts = {
        "dataset": str(dataset),
        "uploaded": counts["uploaded"],
        "planned": counts["planned"],
        "known": counts["known"],
        "failed": max(counts["failed"], len(failures)),
        "bytes": counts["bytes"],
        "dry_run": dry_run,
    }
    sent = f"would upload {facts['planned']:,}" if dry_run else f"uploaded {facts['uploaded']:,}"
    text = f"{sent} blobs, {size_text(counts['bytes'])}; {facts['known']:,} were there already"
    if failures:
        raise PartialFailure(
            f"{facts['failed']:,} failed, the rest is done ({text})",
            failures=failures,
            hint="mend the cause and run the same command again",
        )
    output.result(facts, text)
