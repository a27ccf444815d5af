"""The digest of a dataset: what is in it, whatever its layout, file format, or remotes."""

from __future__ import annotations

import hashlib
from typing import Any

from lake_schemas.errors import FormatError
from lake_schemas.jsontext import canonical
from lake_schemas.names import check_id
from lake_schemas.sample import SampleManifest

_NO_SHARED = SampleManifest()


def content_text(manifest: SampleManifest) -> str:
    """Canonical JSON of what a sample is, without where its blobs are or what files are called.

    >>> content_text(SampleManifest(values={"label": "daisy"}))
    '{"items":{},"values":{"label":"daisy"}}'
    """
    items = manifest.items
    texts = []
    for name in sorted(items):
        ref = items[name]
        texts.append(f'"{name}":{{"sha256":"{ref.sha256}","size":{ref.size},"type":"{ref.type}"}}')
    return f'{{"items":{{{",".join(texts)}}},"values":{canonical(manifest.values)}}}'


def content_digest(manifest: SampleManifest) -> str:
    """sha256 of `content_text`, as hex."""
    return hashlib.sha256(content_text(manifest).encode()).hexdigest()


class DatasetDigest:
    """Merkle hash over (id, content of the manifest), fed in id order; memory grows with the
    depth of the ids alone. docs/format.md has the algorithm.

    >>> digest = DatasetDigest()
    >>> digest.add("train/1", SampleManifest(values={"label": "daisy"}))
    >>> digest.hexdigest()[:16], digest.partitions["train"][:16]
    ('de25c5b474d4296b', '7a66af4f2de9883e')
    """

    def __init__(self, shared: SampleManifest = _NO_SHARED) -> None:
        self._shared = content_digest(shared)
        self._last = b""
        self._open: list[tuple[str, Any]] = [("", hashlib.sha256())]
        self._done: str | None = None
        self.partitions: dict[str, str] = {}
        """Digest of each directory at the top of the ids, known once the next one began."""
        self.count = 0
        """Samples added."""

    def add(self, id: str, manifest: SampleManifest) -> None:
        """The next sample.

        Raises:
            FormatError: an id that is there twice, or does not sort (by its bytes) after the
                one before.
        """
        self.add_content(id, content_digest(manifest))

    def add_content(self, id: str, digest: str) -> None:
        """The next sample, by its `content_digest`."""
        encoded = check_id(id).encode()
        if encoded <= self._last:
            what = "a sample is there twice" if encoded == self._last else "ids are not in order"
            raise FormatError(what, where=id)
        if self._done is not None:
            raise FormatError("the digest is already complete", where=id)
        self._last = encoded
        *directories, name = id.split("/")
        self._enter(directories)
        self._open[-1][1].update(f"sample {name} {digest}\n".encode())
        self.count += 1

    def _enter(self, directories: list[str]) -> None:
        keep = 0
        while keep < len(directories) and keep + 1 < len(self._open):
            if self._open[keep + 1][0] != directories[keep]:
                break
            keep += 1
        self._leave(keep)
        for name in directories[keep:]:
            self._open.append((name, hashlib.sha256()))

    def _leave(self, keep: int) -> None:
        while len(self._open) > keep + 1:
            name, hasher = self._open.pop()
            digest = hasher.hexdigest()
            self._open[-1][1].update(f"tree {name} {digest}\n".encode())
            if len(self._open) == 1:
                self.partitions[name] = digest

    def hexdigest(self) -> str:
        """The digest of all that was added; nothing can be added afterwards."""
        if self._done is None:
            self._leave(0)
            tree = self._open[0][1].hexdigest()
            text = f"lake dataset 1\nshared {self._shared}\ntree {tree}\n"
            self._done = hashlib.sha256(text.encode()).hexdigest()
        return self._done
