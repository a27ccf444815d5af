"""Run one of Swift's servers, on Swift's own Python: `swift_run.py KIND CONF SWIFT_CONF`.

Swift looks for swift.conf in /etc only, unless told otherwise from inside.
"""

import sys

import swift.common.utils
from swift.common.wsgi import run_wsgi


def main() -> None:
    kind, conf, swift.common.utils.SWIFT_CONF_FILE = sys.argv[1:4]
    sys.exit(run_wsgi(conf, f"{kind}-server", default_port=0, verbose=True))


main()
