from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lake_schemas.errors import FormatError
from lake_schemas.jsontext import canonical, strict_json
from tests.unit.schemas.manifests import json_values


def reference(value: Any) -> str:
    """docs/format.md's rules for canonical JSON, written down once more."""
    if isinstance(value, dict):
        rows = [f"{reference(key)}:{reference(value[key])}" for key in sorted(value)]
        return "{" + ",".join(rows) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(reference, value)) + "]"
    if isinstance(value, str):
        short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
        short |= {'"': '\\"', "\\": "\\\\"}
        plain = (short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value)
        return '"' + "".join(plain) + '"'
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def number(value: float) -> str:
    """A float's text from its shortest digits, by the rule in docs/format.md."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if -4 < point <= 16:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    power = point - 1
    return f"{sign}{digits[0]}{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"


@given(json_values)
@example({"a": [1e16, 1e-5, 0.0001, 0.00011, 5e-324, 1.7976931348623157e308, 1e22, -0.0]})
@example({"0.0000e": "1e5"})
@example('\x7f\x80\u2028\uffff\x1f\x00"\\/😀')
@example({"\U00010000": 1, "\uffff": 2})
def test_canonical_text_follows_the_written_rules(value: Any) -> None:
    text = canonical(value)
    assert text == reference(value)
    assert strict_json(text.encode(), where="x") == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_itself(value: float) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical([value]) == f"[{number(value)}]"


@pytest.mark.parametrize("value", [math.nan, object(), {1: 2}, {"a": {3}}, "\ud800", b"x"])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(FormatError):
        canonical([value] if value is not math.nan else [1e300, math.inf, {"e": 1e-9}, {1}])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"{'a': 1}",
        b"[1,]",
        b"// c\n1",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"1 2",
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 5000,
        b" " * ((1 << 20) + 1),
    ],
)
def test_doubtful_json_is_refused(text: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        strict_json(text, where="some.json")
    assert "some.json" in str(caught.value)


def test_32_levels_are_read() -> None:
    assert strict_json(b"[" * 32 + b"]" * 32, where="x")
