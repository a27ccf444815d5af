"""A string that does not show itself."""

from __future__ import annotations

from typing import Any, NoReturn

from lake.secrets.scrub import register


class SecretStr:
    """One secret; only `get_secret_value()` gives it away.

    Smaller and stricter than pydantic's class of that name: it registers its value for
    `redact`, and it refuses to be pickled or copied into one.

    >>> SecretStr("hunter2hunter2")
    SecretStr('********')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register(value)

    def get_secret_value(self) -> str:
        """The secret itself: pass it on, never print it."""
        return self._value

    def __repr__(self) -> str:
        return "SecretStr('********')" if self._value else "SecretStr('')"

    def __str__(self) -> str:
        return "********" if self._value else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, SecretStr) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; open the remote anew in the other process")
