"""Keys from the MinIO client's configuration, matched by endpoint.

`mc alias set` keeps endpoint and keys together, so an alias answers for exactly its endpoint:
read here are `$MC_HOST_<alias>`, and `config.json` in `$MC_CONFIG_DIR`, `~/.mc` and `~/mc`.
minio's own MinioClientConfigProvider must be told the alias, and so cannot match.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lake.config.endpoint import canonical
from lake.fsio import is_file
from lake.secrets import SecretStr
from lake.store.credentials import CredentialSource, Fixed, S3Credentials

_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class McAlias:
    """One alias of the MinIO client; `where` is the file or variable that has it."""

    name: str
    endpoint: str
    access: str
    secret: SecretStr
    token: SecretStr | None
    where: str


def mc_alias(endpoint: str) -> McAlias | None:
    """The first alias for this canonical endpoint, or None."""
    return next((found for found in mc_aliases() if found.endpoint == endpoint), None)


def mc_source(alias: McAlias) -> CredentialSource | None:
    """The alias's keys; None for one that has none, which reads public buckets."""
    if not (alias.access and alias.secret):
        return None
    return Fixed(
        f"{alias.where} alias '{alias.name}'",
        S3Credentials(alias.access, alias.secret, alias.token),
    )


def mc_aliases() -> Iterator[McAlias]:
    """All aliases: of the environment, then of each file that is there."""
    yield from _from_environment()
    for path in config_files():
        yield from _from_file(path)


def config_files() -> list[Path]:
    """The MinIO client's configuration files that are there, in the order they are asked."""
    own = os.environ.get("MC_CONFIG_DIR")
    home = Path.home()
    folders = [Path(own)] if own else [home / ".mc", home / "mc"]
    return [path for folder in folders if is_file(path := folder / "config.json")]


def _from_environment() -> Iterator[McAlias]:
    for variable in sorted(os.environ):
        if not variable.startswith("MC_HOST_"):
            continue
        parts = urlsplit(os.environ[variable])
        if not parts.hostname:
            continue
        # mc writes a session token after the secret: https://KEY:SECRET:TOKEN@host
        secret, _, token = (unquote(part) for part in (parts.password or "").partition(":"))
        endpoint = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        access = unquote(parts.username or "")
        name = variable.removeprefix("MC_HOST_")
        yield _alias(name, endpoint, access, secret, token, "MC_HOST_* environment")


def _from_file(path: Path) -> Iterator[McAlias]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return  # another program's file: what lake cannot read there is not lake's to judge
    found = document.get("aliases") or document.get("hosts") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        return
    for name, entry in found.items():
        if not isinstance(entry, dict):
            continue
        url, access, secret, token = (
            _text(entry, key) for key in ("url", "accessKey", "secretKey", "sessionToken")
        )
        if url:
            yield _alias(name, url, access, secret, token, _shown(path))


def _alias(name: str, url: str, access: str, secret: str, token: str, where: str) -> McAlias:
    hidden = SecretStr(token) if token else None
    return McAlias(name, canonical(url), access, SecretStr(secret), hidden, where)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _shown(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
