"""`lake pull`: fetch a dataset's blobs into the cache."""

from __future__ import annotations

from lake.cli.options import Dataset, Debug, DryRun, Jobs, Json, KeepGoing, Keys, Quiet
from lake.cli.output import Output, size_text
from lake.errors import LakeError, PartialFailure


def command(
    dataset: Dataset,
    key: Keys = None,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fetch a dataset's blobs into the cache.

    Afterwards they are read from this machine, with no remote at hand. Each one is verified,
    and comes from the first source that has it right. What lies in the dataset's own files is
    left where it is. DATASET:ID takes one sample, or all below that part of the id.

    \b
    lake pull digits
    lake pull digits:train -k image -j 32
    """
    from lake.cli.mentions import blobs_of
    from lake.transfer import pull_blobs

    output = Output(json=json, quiet=quiet, debug=debug)
    broken: list[LakeError] = []
    blobs = blobs_of(dataset, key, broken.append if keep_going else None)
    progress = output.progress()
    blobs.announce(progress, "pull")
    try:
        report = pull_blobs(
            blobs.hub, blobs, jobs=jobs, progress=progress, keep_going=keep_going, dry_run=dry_run
        )
    finally:
        progress.finish()
    facts = {
        "dataset": str(dataset),
        "fetched": report.fetched,
        "bytes": report.size,
        "cached": report.cached,
        "files": report.files,
        "failed": report.failed + len(broken),
        "dry_run": dry_run,
    }
    done = "would fetch" if dry_run else "fetched"
    text = (
        f"{done} {report.fetched:,} blobs, {size_text(report.size)};"
        f" {report.cached:,} were in the cache, {report.files:,} in the dataset's own files"
    )
    room = blobs.hub.cache.max_size
    if report.size > room:
        output.warn(
            f"the cache holds {size_text(room)}, so not all of it is kept;"
            " set cache.max_size in your own config.yaml"
        )
    if facts["failed"]:
        raise PartialFailure(
            f"{facts['failed']:,} failed, the rest is done ({text})",
            failures=[*broken, *report.failures],
            hint="lake verify says more",
        )
    output.result(facts, text)
