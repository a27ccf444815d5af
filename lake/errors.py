"""Every error that lake raises on purpose, in one tree.

```
LakeError
├── UsageError         the call itself is wrong: an option, an argument, a stage's field
├── NotFound           a dataset, sample, item, object or file that is not there
│   └── BlobUnavailable    no source served a blob; says what each one answered
├── IntegrityError     bytes that are not what their digest promises
├── ManifestError      text that breaks the format: syntax, names, limits, types
├── ConfigError        an unknown remote, a bad setting
├── InputError         a file of the user's that is missing, unreadable or changing
├── RemoteError        a store that did not do what was asked; transient=True may pass
│   └── AccessDenied       wrong, missing or insufficient credentials
├── UntrustedRemote    credentials would go to an endpoint that the user never named
├── ConflictError      something is in the way: output exists, output is the input
├── DiskError          this machine's disk: full, read-only, failing
├── Unsupported        an extra that is not installed, a feature the store lacks
└── PartialFailure     --keep-going finished, and some of it failed
```

Handlers catch by class; machines read `kind` and `exit_code`, which never change once
released. A message says what happened, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class LakeError(Exception):
    """Base of all errors that lake raises on purpose.

    >>> print(NotFound("no such sample", where="flowers:train/7", hint="lake ls flowers"))
    no such sample: flowers:train/7
      hint: lake ls flowers
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{self.what}: {self.where}"
        return text if self.hint is None else f"{text}\n  hint: {self.hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take keyword arguments of their own; pickling must not depend on them.
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))

    @property
    def line(self) -> str:
        """What and where, in one line of a list."""
        return (self.what if self.where is None else f"{self.what}: {self.where}").splitlines()[0]

    def to_dict(self) -> dict[str, Any]:
        """The error as `--json` prints it."""
        found = {"kind": self.kind, "what": self.what, "where": self.where, "hint": self.hint}
        return {key: value for key, value in found.items() if value is not None}


def _rebuild(cls: type[LakeError], args: tuple[Any, ...], state: dict[str, Any]) -> LakeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(LakeError):
    """The call itself is wrong."""

    kind = "usage"
    exit_code = 2


class NotFound(LakeError):
    """A dataset, sample, item, object or file that is not there."""

    kind = "not-found"
    exit_code = 3


class BlobUnavailable(NotFound):
    """No source served a blob.

    `attempts` holds one (source name, what it answered) pair per source, in the order tried;
    `sha256` says which blob.
    """

    kind = "blob-unavailable"

    def __init__(
        self,
        what: str,
        *,
        attempts: Sequence[tuple[str, str]] = (),
        sha256: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.attempts = tuple(attempts)
        self.sha256 = sha256

    @property
    def line(self) -> str:
        answers = (f"{source}: {answer}" for source, answer in self.attempts)
        return "; ".join([super().line, *answers])

    def __str__(self) -> str:
        head = self.what if self.where is None else f"{self.what}: {self.where}"
        lines = [head, *(f"  {source}: {answer}" for source, answer in self.attempts)]
        return "\n".join(lines if self.hint is None else [*lines, f"  hint: {self.hint}"])

    def to_dict(self) -> dict[str, Any]:
        pairs = [{"source": source, "answer": answer} for source, answer in self.attempts]
        return {**super().to_dict(), "attempts": pairs}


class IntegrityError(LakeError):
    """Bytes that are not what their digest promises: other, fewer or more."""

    kind = "integrity"
    exit_code = 4


class ManifestError(LakeError):
    """A manifest, descriptor or configuration text that breaks the format."""

    kind = "manifest"
    exit_code = 5


class ConfigError(LakeError):
    """An unknown remote, or a setting that cannot be."""

    kind = "config"
    exit_code = 6


class RemoteError(LakeError):
    """A store that did not do what was asked; `transient` says whether a retry may help."""

    kind = "remote"
    exit_code = 7

    def __init__(
        self,
        what: str,
        *,
        transient: bool = False,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.transient = transient


class AccessDenied(RemoteError):
    """Wrong, missing or insufficient credentials."""

    kind = "access-denied"


class UntrustedRemote(LakeError):
    """Credentials would go to an endpoint that the user never named."""

    kind = "untrusted-remote"
    exit_code = 8


class ConflictError(LakeError):
    """Something is in the way: the output exists, is the input, or moved meanwhile."""

    kind = "conflict"
    exit_code = 9


class InputError(LakeError):
    """A file of the user's that is missing, unreadable, or changed while it was read."""

    kind = "input"
    exit_code = 10


class DiskError(LakeError):
    """This machine's disk: full, read-only or failing."""

    kind = "disk"
    exit_code = 11


class PartialFailure(LakeError):
    """The rest went through, and these failed; `failures` holds them, at most 1,000."""

    kind = "partial-failure"
    exit_code = 12

    def __init__(
        self,
        what: str,
        *,
        failures: Sequence[LakeError] = (),
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.failures = tuple(failures[:1000])

    def __str__(self) -> str:
        shown = [f"  - {error.line}" for error in self.failures[:20]]
        if len(self.failures) > 20:
            shown.append(f"  ... and {len(self.failures) - 20} more")
        head = self.what if self.where is None else f"{self.what}: {self.where}"
        return "\n".join([head, *shown, *([] if self.hint is None else [f"  hint: {self.hint}"])])

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "failures": [e.to_dict() for e in self.failures]}


class Unsupported(LakeError):
    """An extra that is not installed, or a feature that a store does not have."""

    kind = "unsupported"
    exit_code = 13


class DecodeError(LakeError):
    """A blob that its codec cannot read: broken, another format, or beyond a codec's limits.

    The bytes are those that the manifest promises; they were never what their media type says.
    """

    kind = "decode"
    exit_code = 14
