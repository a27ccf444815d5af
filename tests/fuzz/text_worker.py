"""Feeds mutated and deeply nested texts to every loader of the formats. Runs in a process of its
own, since what it looks for includes crashes of the interpreter. Prints what it did as JSON.

    python text_worker.py SEED COUNT
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable

from lake_schemas.config import ProjectConfig, UserConfig, load_config
from lake_schemas.descriptor import load_descriptor
from lake_schemas.errors import FormatError
from lake_schemas.names import safe_name
from lake_schemas.remote import RemoteAddress, split_credentials
from lake_schemas.text import line_id, load_line, load_sample
from lake_schemas.yaml import load_yaml

DIGEST = "9f" * 32
REF = f'{{"in":["main",{{"old":"a/b"}}],"sha256":"{DIGEST}","size":1,"type":"image/png"}}'
SEEDS = [
    f'{{\n  "items": {{\n    "image": {REF}\n  }},\n  "values": {{\n    "a": [1,2.5]\n  }}\n}}\n',
    f'{{"id":"train/1","items":{{"image":{REF}}},"values":{{"a":"b"}}}}\n',
    f"items:\n  image: {REF}\nvalues:\n  a: [1, 2.5, no]\n  b: |\n    text\n",
    "lake: 1\nname: flowers\nremotes:\n  main: s3://b/p?endpoint=https://h:9000\nmeta: {a: [b]}\n",
    "remotes: {main: ../x, b: {url: s3://b, order: 1}}\ncache: {max_size: 20 GiB}\n",
    "s3://user:password@host:9000/bucket/prefix?secure=false&region=eu",
]
TOKENS = [
    "[", "{", "]", "}", ":", ": ", "- ", "? ", ",", '"', "'", "|", ">", "&a ", "*a", "!!python/x ",
    "!", "%TAG ", "---\n", "...\n", "#", "\n", "\t", "  ", "\x00", "\ufeff", "\x85", "\u2028",
    "null", "NaN", "1e999", "-0", "9" * 30, "1" * 5000, "\\ud800", "\\u0000", "<<", "=", "@", "://",
    "items", "values", "in_", "id", "\xff", "é", "😀",
]  # fmt: skip
DEEP = [
    opener * depth + closer * closed
    for opener, closer in (("[", "]"), ('{"a":', "}"), ("{a: ", "}"), ("- ", ""), ("? ", ""))
    for depth in (33, 1_000, 30_000, 150_000)
    for closed in (0, depth)
    if len(opener) * depth + len(closer) * closed < 2_000_000
] + [
    '{"values":{"a":' + "[" * 200_000 + "]" * 200_000 + "}}",
    '{"id":"' + "a" * 1_000_000,
    "a: " + '"' + "\\x00" * 200_000 + '"',
    "\n".join(" " * n + "a:" for n in range(1000)),
    "a" * 1_000_000,
    "- a\n" * 200_000,
    "{" + ",".join(f'"{n}":1' for n in range(60_000)) + "}",
    "[" + "[],".join([""] * 100_000) + "]",
    "&a " * 100_000,
    "#" * 1_000_000,
    "\x85" * 100_000,
    "!" * 1_000_000,
    "%" * 500_000,
    "'" * 1_000_000,
]

LOADERS: dict[str, Callable[[bytes], object]] = {
    "json": lambda data: load_sample(data, format="json", where="fuzz"),
    "yaml sample": lambda data: load_sample(data, format="yaml", where="fuzz"),
    "line": lambda data: load_line(data, where="fuzz"),
    "line id": line_id,
    "yaml": lambda data: load_yaml(data, where="fuzz"),
    "descriptor": lambda data: load_descriptor(data, "fuzz"),
    "project": lambda data: load_config(data, ProjectConfig, where="fuzz"),
    "user": lambda data: load_config(data, UserConfig, where="fuzz"),
    "url": lambda data: RemoteAddress.parse(data.decode("utf-8", "replace")[:5000]),
    "credentials": lambda data: split_credentials(data.decode("utf-8", "replace")[:5000]),
    "safe name": lambda data: safe_name(data.decode("utf-8", "surrogateescape")[:5000]),
}


def mutated(rng: random.Random) -> bytes:
    """A seed with a few bytes, tokens or pieces of other seeds put in, left out or repeated."""
    data = bytearray(rng.choice(SEEDS).encode())
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at:at] = rng.choice(TOKENS).encode("utf-8", "surrogatepass")
            case 1:
                del data[at : at + rng.randrange(1, 20)]
            case 2:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 3:
                data[at:at] = rng.choice(TOKENS).encode() * rng.choice((2, 40, 3000))
            case _:
                other = rng.choice(SEEDS).encode()
                start = rng.randrange(len(other))
                data[at:at] = other[start : start + rng.randrange(1, 80)]
    return bytes(data)


def main(seed: int, count: int) -> None:
    """Run `count` mutated texts, and the deep ones, through every loader."""
    rng = random.Random(seed)
    accepted = refused = 0
    for data in [*(text.encode() for text in DEEP), *(mutated(rng) for _ in range(count))]:
        for name, load in LOADERS.items():
            try:
                load(data)
                accepted += 1
            except FormatError as error:
                refused += 1
                if len(str(error)) > 2000:
                    raise AssertionError(f"{name}: {len(str(error))} characters") from None
            except BaseException:
                print(f"{name}: {data[:2000]!r}", file=sys.stderr)
                raise
    print(json.dumps({"accepted": accepted, "refused": refused}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
