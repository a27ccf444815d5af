"""The JSON Schema of all installed stages as a file, for editors and for checking pipelines.

usage: python -m lake.stage.export [--check] [DIRECTORY]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lake.stage.registry import StageEntry, installed
from lake.stage.schema import stages_schema

NAME = "stages.schema.json"
OWN = "lake-datasets"
"""Only the stages of this package are in the file that is kept with the code."""


def own_stages() -> dict[str, StageEntry]:
    """The stages that come with lake, by name."""
    return {name: entry for name, entry in installed().items() if entry.package == OWN}


def text() -> str:
    """The file's content."""
    schema = stages_schema({name: entry.load() for name, entry in own_stages().items()})
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(argv: list[str]) -> int:
    """Write the file, or with `--check` say whether it is what it should be."""
    from lake.fsio import write_file

    words = [word for word in argv if word != "--check"]
    path = Path(words[0] if words else "schemas/json") / NAME
    wanted = text()
    if "--check" in argv:
        found = path.read_text(encoding="utf-8") if path.is_file() else ""
        if found != wanted:
            print(f"{path} is out of date: python -m lake.stage.export", file=sys.stderr)
            return 1
        return 0
    write_file(path, wanted.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
