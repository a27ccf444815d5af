"""Fetch Ceph for the tests ahead of time: `python -m tests.servers.fetch_ceph`."""

from __future__ import annotations

import sys

from tests.servers.ceph import Installed
from tests.servers.processes import CannotStart


def main() -> int:
    try:
        print(Installed().root)
    except CannotStart as error:
        print(f"Ceph is not to be had here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
