"""The tour behind `make demo`: real pictures become a dataset in git, and come back to the byte.

usage: python examples/digits_tour.py [FOLDER]     (default: ./demo, made anew)

Every line that starts with $ is a command you can type yourself in that folder. Nothing outside it
is read or written: cache and settings lie in it too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent
MARK = ".lake-tour"


def say(text: str) -> None:
    """A paragraph of the tour."""
    print(f"\n{text}", flush=True)


def run(command: str, *, show: int = 12) -> str:
    """Print a shell command, run it, print the first lines of what it prints, and return it all."""
    print(f"\n  $ {command}", flush=True)
    done = subprocess.run(
        command, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines = done.stdout.rstrip().splitlines()
    for line in lines[:show]:
        print(f"    {line}")
    if len(lines) > show:
        print(f"    ... {len(lines) - show} more lines")
    sys.stdout.flush()
    if done.returncode:
        if len(lines) > show:
            print("\n".join(lines[-show:]))
        sys.exit(
            f"\nThe command above failed with exit code {done.returncode}; the tour ends here."
        )
    return done.stdout


def enter(folder: Path) -> None:
    """Make an empty folder to play in, go there, and keep lake's cache and settings inside it."""
    if folder.exists():
        if not (folder / MARK).exists() and any(folder.iterdir()):
            sys.exit(f"{folder} is not a folder that this tour made; name another one")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    os.chdir(folder)
    here = folder.resolve()
    os.environ.update(
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        LAKE_CACHE_DIR=str(here / "cache"),
        LAKE_CONFIG_DIR=str(here / "config"),
        # The commits are the tour's own, whatever git is told on this machine.
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_AUTHOR_NAME="tour",
        GIT_AUTHOR_EMAIL="tour@localhost",
        GIT_COMMITTER_NAME="tour",
        GIT_COMMITTER_EMAIL="tour@localhost",
    )


def python(code: str) -> None:
    """Run a few lines of Python as a command."""
    Path("snippet.py").write_text(code.lstrip())
    print("\n  " + code.strip().replace("\n", "\n  "))
    run("python snippet.py")


def curator() -> None:
    """From a folder of pictures to text in git and bytes in a remote."""
    say("1. Real input: scikit-learn's handwritten digits and its two photographs, as files.")
    run(f"python {EXAMPLES / 'digits.py'} pictures")

    say("2. A folder of files becomes a dataset: files of one stem are one sample.")
    # A repository of its own from the start: settings belong to the nearest one.
    run("git init -q team" if shutil.which("git") else "mkdir -p team/.lake")
    os.chdir("team")
    print("  $ cd team")
    run("lake init raw-digits --from ../pictures/digits --inline json")
    run("lake init raw-photos --from ../pictures/photos")
    run("cat raw-digits/samples/train/0007.json")

    say("3. A remote is where bytes go. A folder will do: no server, no account.")
    run("lake remote add main ../lake-store")
    run("lake remote default main")

    say("4. Offload: the bytes into the remote, only text into the new dataset.")
    run("lake remote-add raw-digits digits -k image -j 8")
    run("lake remote-add raw-photos photos")
    run("cat digits/samples/train/0007.json")
    say("   Once more: nothing to do, and lake knows without reading the files again.")
    run("lake remote-add raw-digits digits -k image -j 8")


def commit() -> bool:
    """Commit the text; returns whether git is there."""
    if shutil.which("git") is None:
        say("5. (git is not installed here, so the steps with it are left out.)")
        return False
    say("5. Text goes to git; files stay out of it.")
    run("git add digits photos .lake")
    run("git commit -qm 'Digits and two photographs' && git count-objects -H")
    return True


LOAD = """
import lake
digits = lake.open('digits')
train = digits['train']
sample = train[7]
print(len(digits), 'samples,', len(train), 'to train on')
print('label', sample['label'](), 'picture', sample['image']().shape)
"""

SOURCES = """
import lake
sample = lake.open('digits')['train'][7]
print([source.name for source in sample['image'].sources])
print(sample['image']().shape, 'right bytes all the same')
"""


def colleague() -> None:
    """Somebody else has the text and nothing more: loads samples, and gets all files back."""
    say("6. A colleague clones the text. Bytes are fetched, and checked, when you touch them.")
    os.chdir("..")
    print("\n  $ cd ..")
    run("git clone -q team colleague")
    os.chdir("colleague")
    print("  $ cd colleague")
    python(LOAD)

    say("7. All files back, to the byte: JPEG is never encoded again.")
    run("lake clone digits files --mode copy")
    run("lake clone photos photo-files --mode copy")
    run("sha256sum ../pictures/photos/*.jpg $(find photo-files -name '*.jp*g' | sort)")
    os.chdir("../team")
    print("\n  $ cd ../team")


def damage() -> None:
    """A bad source is noticed, named, passed over and repaired."""
    say("8. Is everything where the text says, and is it right?")
    run("lake verify digits --read-data")
    run("lake status digits")

    say("9. Now a second remote, and then the disk under the first one goes bad.")
    run("lake remote add second ../second-store")
    run("lake remote-add digits --in-place -r second")
    print("  (writing nonsense over every blob in ../lake-store)")
    for blob in Path("../lake-store/sha256").rglob("*"):
        if blob.is_file():
            blob.chmod(0o644)
            blob.write_bytes(b"not what it was")
    python(SOURCES)
    run('lake verify digits --read-data --json > report.json || echo "exit code $?"')
    run("lake verify digits --read-data --repair | tail -2")
    run("lake verify digits --read-data")


def main() -> None:
    """Take the tour from beginning to end."""
    began = time.monotonic()
    enter(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
    home = Path.cwd()
    curator()
    if commit():
        colleague()
    damage()
    say(
        f"That was the tour, in {time.monotonic() - began:.0f} s. Everything is in {home}:\n"
        "look around, then read docs/tutorial/first-steps.md."
    )


if __name__ == "__main__":
    main()
