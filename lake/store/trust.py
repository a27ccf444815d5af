"""Whom credentials may be shown to, and where lake never connects at all.

A dataset names remotes, and a dataset may come from anyone. So the user's keys go only to

- the provider's own endpoints (Amazon's for `s3://`, Google's for `gs://`), over TLS;
- an endpoint that the user named: typed in this call, in the user's own settings (`trust`, or a
  remote there), saved with its keys, in the environment (`AWS_ENDPOINT_URL`, `MINIO_ENDPOINT`),
  in `~/.aws/config`, or as an alias of the MinIO client.

What a repository carries (`dataset.yaml`, `.lake/config.yaml`, even `.lake/config.local.yaml`)
is not the user's word. Link-local and metadata addresses are refused whoever names them.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lake.config.aws import config_text
from lake.config.edit import change
from lake.config.endpoint import canonical, endpoint_of, reference_for
from lake.config.places import user_file
from lake.errors import ConfigError, DiskError, InputError, UntrustedRemote
from lake.secrets import references, user_directory
from lake.store.credentials_env import AWS_ENDPOINTS, MINIO_ENDPOINTS, named_by
from lake.store.credentials_mc import mc_alias
from lake.store.endpoints import is_providers_own, metadata_address

if TYPE_CHECKING:
    from lake.config import Config, Remote

ENDPOINT_VARIABLES = (*AWS_ENDPOINTS, *MINIO_ENDPOINTS, "STORAGE_EMULATOR_HOST")

_log = logging.getLogger(__name__)

_typed_here: set[tuple[Path, str]] = set()
"""What this process's user typed: their settings directory, and an endpoint or folder."""

_ENDPOINT_LINE = re.compile(r"^\s*endpoint_url\s*=\s*(\S+)", re.MULTILINE)


def refuse_metadata(remote: Remote) -> None:
    """Raise UntrustedRemote when the remote leads to a link-local or metadata address.

    These give out a machine's own credentials; no store lives there. Trust does not change it.
    """
    endpoint = endpoint_of(remote.address)
    if endpoint is None or is_providers_own(remote.address.scheme, endpoint):
        return
    found = metadata_address(endpoint)
    if found is not None:
        raise UntrustedRemote(
            f"remote '{remote.alias}' leads to a link-local or metadata address ({found})",
            where=f"{remote.url} ({remote.origin.where})",
            hint="no store lives there; take the remote out of the text that names it",
        )


def why_trusted(remote: Remote, config: Config) -> str | None:
    """Who named the remote's endpoint, so that it may see credentials; None when nobody did."""
    return _named_by_user(remote) or _known(remote, config)


def _known(remote: Remote, config: Config) -> str | None:
    """`why_trusted`, whoever named this remote."""
    endpoint = endpoint_of(remote.address)
    if remote.url in config.trusted_remotes:
        return "trusted in your settings"
    if (user_directory(), _trusted_name(remote)) in _typed_here:
        return "typed by you"
    if endpoint is None:
        return "within what names it" if folder_is_own(remote) else None
    if is_providers_own(remote.address.scheme, endpoint):
        return "the provider's own endpoint"
    if endpoint in config.trusted_endpoints:
        return "trusted in your settings"
    if saved_reference(endpoint, remote.address.bucket) is not None:
        return "saved with its keys"
    if variable := named_by(ENDPOINT_VARIABLES, endpoint):
        return f"{variable} in the environment"
    if alias := mc_alias(endpoint):
        return f"{alias.where} alias '{alias.name}'"
    if endpoint in aws_config_endpoints():
        return "endpoint_url in the AWS config file"
    return None


def remember(remote: Remote, config: Config) -> bool:
    """Write down, in the user's settings, that the user named this remote; whether that was
    news.

    Typing a URL trusts it, and what a dataset then says of it is read back by its alias.
    """
    if remote.address.scheme not in ("s3", "gs", "file"):
        return False
    if remote.origin.by == "user" or _known(remote, config):
        return False
    # Settings that were read earlier in this process do not know it yet.
    _typed_here.add((user_directory(), _trusted_name(remote)))
    try:
        return grant(remote, config)[1]
    except (DiskError, InputError, ConfigError) as error:
        _log.debug("%s is trusted for this process only: %s", remote.url, error)
        return False


def grant(
    remote: Remote, config: Config, *, revoke: bool = False, dry_run: bool = False
) -> tuple[str, bool]:
    """Trust a remote's endpoint, or its folder, in the user's settings; or no longer.

    Returns what is trusted now (or not), and whether that is a change.

    Raises:
        UntrustedRemote: it leads to a metadata address.
    """
    refuse_metadata(remote)
    name = _trusted_name(remote)
    if endpoint_of(remote.address) is None:
        key, listed = "remotes", config.trusted_remotes
    else:
        key, listed = "endpoints", config.trusted_endpoints
    if revoke and not dry_run:
        _typed_here.discard((user_directory(), name))
    wanted = listed - {name} if revoke else listed | {name}
    if wanted == listed:
        return name, False
    if not dry_run:
        change(user_file(), {("trust", key): sorted(wanted) or None})
    return name, True


def require_trust(remote: Remote, config: Config) -> str:
    """`why_trusted`, or UntrustedRemote with the one command that trusts it."""
    why = why_trusted(remote, config)
    if why is None:
        raise untrusted(remote, "has an endpoint that you never named, so it gets no credentials")
    return why


def folder_is_writable(remote: Remote, config: Config) -> bool:
    """Whether lake may write to a folder remote: it lies within what names it, or the user
    named it."""
    return remote.folder is None or why_trusted(remote, config) is not None


def folder_is_own(remote: Remote) -> bool:
    """Whether a folder remote lies below the folder whose text names it, links resolved."""
    if remote.folder is None or remote.home is None:
        return False
    return _real(remote.folder).is_relative_to(_real(remote.home))


def untrusted(remote: Remote, why: str) -> UntrustedRemote:
    """The error for a remote that the user has to name first."""
    return UntrustedRemote(
        f"remote '{remote.alias}' {why}",
        where=f"{remote.url} (named in {remote.origin.where})",
        hint=f"if you know it: lake remote trust {_name_for(remote)}",
    )


def _trusted_name(remote: Remote) -> str:
    """What is trusted when a remote is: its endpoint, or the folder."""
    return endpoint_of(remote.address) or remote.url


def _name_for(remote: Remote) -> str:
    """What to type: the alias where the settings know it, the URL where only a dataset does."""
    return remote.alias if remote.origin.by in ("project", "local") else f"'{remote.url}'"


def saved_reference(endpoint: str, bucket: str | None) -> str | None:
    """The reference of saved keys that are for this bucket, or for all of this endpoint."""
    saved = references()
    for name in (reference_for(endpoint, bucket), reference_for(endpoint, None)):
        if name in saved:
            return name
    return None


def aws_config_endpoints() -> set[str]:
    """Endpoints that the user's AWS config file names, canonical, of whatever profile."""
    return {canonical(url) for url in _ENDPOINT_LINE.findall(config_text())}


def _named_by_user(remote: Remote) -> str | None:
    if remote.typed_by_user:
        return "typed by you"
    if remote.origin.by == "user":
        return f"your own settings ({remote.origin.where})"
    return None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
