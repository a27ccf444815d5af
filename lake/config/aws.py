"""What Amazon's own settings say about where S3 is: variables, and the profile in use."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def s3_endpoint() -> str | None:
    """The endpoint of an S3 URL that names none, as Amazon's own tools find it, or None."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    for name in _VARIABLES:
        if value := os.environ.get(name):
            return value.rstrip("/")
    found = _of_profile()
    return found.rstrip("/") if found else None


def s3_region() -> str | None:
    """The region that the environment names, or None."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def config_text() -> str:
    """The user's AWS config file; empty where there is none."""
    path = Path(os.environ.get("AWS_CONFIG_FILE") or Path.home() / ".aws" / "config").expanduser()
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _of_profile() -> str | None:
    text = config_text()
    if "endpoint_url" not in text:
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None  # boto3 will say so, if it is asked
    profile = os.environ.get("AWS_PROFILE") or "default"
    section = "default" if profile == "default" else f"profile {profile}"
    if not parser.has_section(section):
        return None
    if (parser.get(section, "ignore_configured_endpoint_urls", fallback="")).lower() == "true":
        return None
    services = f"services {parser.get(section, 'services', fallback='')}"
    nested = parser.get(services, "s3", fallback="") if parser.has_section(services) else ""
    for line in nested.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "endpoint_url" and value.strip():
            return value.strip()
    return parser.get(section, "endpoint_url", fallback=None)
