"""The one error of this package."""

from __future__ import annotations


class FormatError(ValueError):
    """Text, or a value, that breaks the format: `what` is wrong, `where`, and a `hint` to mend it.

    >>> str(FormatError("not a legal name", where="samples/a b.json", hint="use a_b"))
    'not a legal name: samples/a b.json (use a_b)'
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{self.what}: {self.where}"
        return text if self.hint is None else f"{text} ({self.hint})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.hint))

    def at(self, where: str) -> FormatError:
        """The same error, placed: `where` goes in front of the place it already names."""
        inner = where if self.where is None else f"{where}: {self.where}"
        return FormatError(self.what, where=inner, hint=self.hint)


def _rebuild(cls: type[FormatError], what: str, where: str | None, hint: str | None) -> FormatError:
    return cls(what, where=where, hint=hint)


def mending(text: str) -> str:
    """What to do about a text that does not parse.

    >>> mending("<<<<<<< HEAD\\n{}\\n=======\\n")
    'a git merge left its marks here: resolve the conflict'
    """
    if "\n<<<<<<< " in "\n" + text:
        return "a git merge left its marks here: resolve the conflict"
    return "mend it there, or take back a version that was good"


def quoted(text: str) -> str:
    """A piece of a text for an error's message: short, and never an address, since people paste
    URLs with passwords where a name should be.

    >>> quoted("my image"), quoted("s3://me:secret@host/bucket")
    ("'my image'", 'a URL')
    """
    if "://" in text:
        return "a URL"
    return "a text with an @ in it" if "@" in text else repr(text[:80])
