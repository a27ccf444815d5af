"""lake's transfer layer alone, in a process of its own: no stage, no manifests written.

usage: engine_s3.py put REMOTE DATASET      every blob of a dataset into the remote
       engine_s3.py get DATASET OUT         every blob of a dataset as a file in OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from lake.config import Config
from lake.dataset import DatasetDirectory
from lake.fsio import Batch
from lake.transfer import Fetcher, Hub, Place, Pusher
from lake_schemas.blob import BlobRef

BATCH = 1000


def blobs(dataset: DatasetDirectory) -> list[tuple[BlobRef, Place]]:
    """Every blob that the manifests name, and where their names are meant."""
    place = dataset.access.place
    return [
        (ref, place)
        for number in range(len(dataset.ids))
        for ref in dataset.manifest(dataset.ids[number]).items.values()
    ]


def main() -> None:
    verb, first, second = sys.argv[1:4]
    dataset = DatasetDirectory(second if verb == "put" else first)
    wants = blobs(dataset)
    with Hub(Config.load()) as hub:
        if verb == "put":
            remote = hub.config.remote(first, typed=True)
            with Pusher(hub, [remote]) as pusher:
                pusher.push(wants)
        else:
            out = Path(second)
            out.mkdir(parents=True)
            fetcher = Fetcher(hub)
            with Batch(out, durable=False) as batch:
                for start in range(0, len(wants), BATCH):
                    part = wants[start : start + BATCH]
                    named = [(ref, place, ref.sha256) for ref, place in part]
                    fetcher.copy_into(named, batch)
                    batch.commit()


if __name__ == "__main__":
    main()
