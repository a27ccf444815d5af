"""The grammar of names: items, samples, remotes, and files inside a dataset.

Every check returns its argument, so that it reads well in an expression, or raises FormatError.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from lake_schemas.errors import FormatError, quoted

NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?"
"""One name, as a regular expression without anchors: 1 to 64 characters, no "." at either end."""

MAX_ID = 512
"""Characters in a whole id."""
MAX_PARTS = 24
"""Parts of an id."""
MAX_PATH = 1024
"""UTF-8 bytes of a file's path inside a dataset, and of an object's key."""

_name = re.compile(NAME).fullmatch
_id = re.compile(f"{NAME}(?:/{NAME}){{0,{MAX_PARTS - 1}}}").fullmatch
# Refused on Windows whatever follows the first dot.
_reserved = re.compile(
    r"(?:\A|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.[^/]*)?(?:/|\Z)", re.IGNORECASE
).search
# "a" lies in samples/a.json, so a directory must not be called "a.json".
_manifest_directory = re.compile(r"\.(?:json|jsonl|yaml|yml)/", re.IGNORECASE).search
# Most names are of this kind, and stay as they are: nothing else need be looked at.
_simple = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}").fullmatch
_control = re.compile(r"[\x00-\x1f\x7f-\x9f]").search
_unportable = re.compile(r'[<>:"|?*\\]').search
_surrogate = re.compile(r"[\ud800-\udfff]").search


def check_name(text: str, what: str = "name") -> str:
    """A name of an item, a value, a stage or a remote.

    >>> check_name("left_image.v2")
    'left_image.v2'
    """
    if _name(text) is None:
        raise FormatError(
            f"{quoted(text)} is no legal {what}",
            hint="1 to 64 of A-Z a-z 0-9 _ . -, not starting with . or -, not ending with .",
        )
    return text


def check_alias(text: str) -> str:
    """An alias of a remote: a name, so that no path or URL is ever taken for one."""
    return check_name(text, "alias of a remote")


def check_id(text: str) -> str:
    """A sample's id: names joined by "/".

    >>> check_id("train/000042")
    'train/000042'
    """
    if _id(text) is None or len(text) > MAX_ID:
        raise FormatError(
            f"{quoted(text)} is no legal sample id",
            hint=f'names joined by "/", at most {MAX_PARTS} of them and {MAX_ID} characters; '
            "a name is 1 to 64 of A-Z a-z 0-9 _ . -, not starting with . or -, "
            "not ending with .",
        )
    if _reserved(text) is not None:
        raise FormatError(
            f"{quoted(text)} is no legal sample id", hint="Windows reserves con, nul, aux ..."
        )
    if _manifest_directory(text) is not None:
        raise FormatError(
            f"{quoted(text)} is no legal sample id",
            hint="only its last name may end like a manifest (.json, .jsonl, .yaml, .yml)",
        )
    return text


def check_file(text: str) -> str:
    """A file's path inside a dataset directory: relative, "/" between parts, nothing hidden.

    >>> check_file("files/000042 mask.png")
    'files/000042 mask.png'
    """
    hint = None
    if not text or len(text.encode("utf-8", "surrogatepass")) > MAX_PATH:
        hint = f"1 to {MAX_PATH} bytes"
    elif _control(text) or _surrogate(text):
        hint = "no control characters, and only what UTF-8 can write"
    elif _unportable(text):
        hint = 'none of < > : " | ? * \\'
    elif _reserved(text):
        hint = "Windows reserves con, nul, aux ..."
    else:
        for part in text.split("/"):
            if not part or part.startswith(".") or part.endswith((".", " ")):
                hint = (
                    "relative, inside the dataset, without empty or hidden parts, "
                    "and no part ends with a dot or a space"
                )
            elif len(part.encode()) > 255:
                hint = "at most 255 bytes between slashes"
    if hint is not None:
        raise FormatError(f"{quoted(text)} is no legal path of a file in a dataset", hint=hint)
    return text


def check_key(text: str) -> str:
    """A key of an object in a store: relative, "/" between parts, no "." or ".." parts."""
    parts = text.split("/")
    if (
        not text
        or "" in parts
        or "." in parts
        or ".." in parts
        or _control(text)
        or _surrogate(text)
        or len(text.encode()) > MAX_PATH
    ):
        raise FormatError(
            f"{quoted(text)} is no legal key of an object",
            hint=f"1 to {MAX_PATH} bytes, no control characters, no empty, . or .. parts",
        )
    return text


def safe_name(text: str) -> str:
    """A legal name made of any text; the same text always gives the same name.

    Legal names stay as they are. Accents go, other characters become "_"; where letters or
    digits are lost or the text is too long, eight digits of its hash keep it apart from others.

    >>> safe_name("Crème brûlée (1)")
    'Creme_brulee_1'
    >>> safe_name("日本")
    'cf2abf0c'
    """
    if _simple(text) is not None and _reserved(text) is None:
        return text
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if c.isascii() or not unicodedata.combining(c))
    lossy = any(c.isalnum() and not c.isascii() for c in kept) or not any(
        c.isascii() and (c.isalnum() or c == "_") for c in kept
    )
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", kept)
    if name != text:
        name = name.strip("_.-")
    name = re.sub(r"\.(json|jsonl|yaml|yml)\Z", r"_\1", name, flags=re.IGNORECASE)
    name = name.lstrip(".-").rstrip(".")
    if _reserved(name) is not None:
        name = name.replace(".", "_", 1) if "." in name else f"{name}_"
    if lossy or not 1 <= len(name) <= 64:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        head = name[:55].rstrip("_.-")
        name = f"{head}-{digest}" if head else digest
    return name
