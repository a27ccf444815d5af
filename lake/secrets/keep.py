"""The user's own store of access keys: the system keyring, else a file only the user can read.

A saved entry goes by a reference, usually the endpoint and bucket that it opens, so that any
remote at that address finds it whatever a dataset calls it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.errors import ConfigError
from lake.secrets.secret import SecretStr

FILE = "secrets.yaml"
_SERVICE = "lake"


@dataclass(frozen=True, slots=True)
class Saved:
    """What the user gave lake to keep: an access key, or the path of a key file."""

    access: str
    secret: SecretStr
    token: SecretStr | None = None
    key_file: Path | None = None


def user_directory() -> Path:
    """The directory of the user's own settings: `$LAKE_CONFIG_DIR`, else the XDG place."""
    if own := os.environ.get("LAKE_CONFIG_DIR"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CONFIG_HOME"):
        return Path(xdg) / "lake"
    return Path.home() / ".config" / "lake"


def save(reference: str, access: str, secret: str, *, token: str | None = None) -> str:
    """Keep an access key and its secret under `reference`; says where they are now.

    Raises:
        DiskError, InputError: the file cannot be written.
        ConfigError: the file that is there is not one of lake's, or others can read it.
    """
    hidden = SecretStr(secret)
    entries = _read()
    ring = _keyring()
    if ring is not None and token is None:
        ring.set_password(_SERVICE, reference, hidden.get_secret_value())
        entries[reference] = {"access_key": access, "keyring": True}
        where = f"the keyring ({type(ring).__module__})"
    else:
        entries[reference] = {"access_key": access, "secret_key": hidden.get_secret_value()}
        if token is not None:
            entries[reference]["session_token"] = SecretStr(token).get_secret_value()
        where = str(_path())
    _write(entries)
    return where


def save_key_file(reference: str, path: Path) -> str:
    """Keep the path of a service account's key file, not its content; says where."""
    entries = _read()
    entries[reference] = {"key_file": str(path.absolute())}
    _write(entries)
    return str(_path())


def load(reference: str) -> Saved | None:
    """What was saved under `reference`, or None.

    Raises:
        ConfigError: the file is broken, or others than the user can read it.
    """
    entry = _read().get(reference)
    if entry is None:
        return None
    if "key_file" in entry:
        return Saved("", SecretStr(""), key_file=Path(entry["key_file"]))
    if entry.get("keyring"):
        ring = _keyring()
        secret = None if ring is None else ring.get_password(_SERVICE, reference)
        if secret is None:
            raise ConfigError(
                "the keyring no longer holds the secret of a remote",
                where=reference,
                hint="add the remote again with s3://user:password@host/bucket",
            )
        return Saved(str(entry["access_key"]), SecretStr(secret))
    token = entry.get("session_token")
    return Saved(
        str(entry["access_key"]),
        SecretStr(str(entry["secret_key"])),
        None if token is None else SecretStr(str(token)),
    )


def forget(reference: str) -> bool:
    """Remove what was saved under `reference`; False when there was nothing."""
    entries = _read()
    entry = entries.pop(reference, None)
    if entry is None:
        return False
    if entry.get("keyring") and (ring := _keyring()) is not None:
        ring.delete_password(_SERVICE, reference)
    _write(entries)
    return True


def references() -> list[str]:
    """The names under which something is saved, sorted; no secret among them."""
    return sorted(_read())


def _path() -> Path:
    return user_directory() / FILE


def _read() -> dict[str, dict[str, Any]]:
    from lake_schemas.errors import FormatError
    from lake_schemas.yaml import load_yaml

    path = _path()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read it ({error.strerror})", where=str(path)) from None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise _broken(path)
    with open(fd, "rb") as file:
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ConfigError(
                "others can read this file of secrets, so lake does not use it",
                where=str(path),
                hint=f"chmod 600 {path}, and replace the keys if others had access",
            )
        data = file.read(1 << 20)
    try:
        document = load_yaml(data, where=str(path))
    except FormatError:
        # Nothing of a broken file of secrets is quoted, not even the parser's excerpt.
        raise _broken(path) from None
    entries = document.get("credentials") if isinstance(document, dict) else None
    if not isinstance(entries, dict) or not all(map(_well_formed, entries.values())):
        raise _broken(path)
    for entry in entries.values():
        for name in ("secret_key", "session_token"):
            if name in entry:
                SecretStr(str(entry[name]))  # registers it, whichever entry is asked for
    return entries


def _well_formed(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    if isinstance(entry.get("key_file"), str):
        return True
    if not isinstance(entry.get("access_key"), str):
        return False
    return entry.get("keyring") is True or isinstance(entry.get("secret_key"), str)


def _broken(path: Path) -> ConfigError:
    return ConfigError(
        "not a file of lake's saved credentials",
        where=str(path),
        hint="each entry below 'credentials' has access_key and secret_key, or key_file",
    )


def _write(entries: dict[str, dict[str, Any]]) -> None:
    from lake.fsio import make_dirs, write_file
    from lake_schemas.yaml import dump_yaml

    path = _path()
    make_dirs(path.parent, mode=0o700)
    write_file(path, dump_yaml({"credentials": entries}), mode=0o600)


def _keyring() -> Any:
    """The system keyring's backend, or None where there is none worth the name.

    Secret services that are not there give backends of low priority (plain text, or failing
    ones); a 0600 file is better than those. `LAKE_KEYRING=0` turns it off.
    """
    if os.environ.get("LAKE_KEYRING", "1") == "0":
        return None
    try:
        import keyring
    except ImportError:
        return None
    try:
        ring = keyring.get_keyring()
        return ring if float(ring.priority) >= 1 else None
    except Exception:  # a keyring that cannot even say so is no keyring
        return None
