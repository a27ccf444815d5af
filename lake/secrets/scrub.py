"""Scrubbing: no registered secret, and nothing that looks like one, leaves in any text.

Secrets are known by value (every `SecretStr` registers itself, in the forms in which clients
write it: as it is, percent-encoded, JSON-escaped) and by shape (userinfo in a URL, signatures,
authorisation headers), so that a message of a third library is scrubbed too.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[secret]"

SHORTEST = 4
"""Shorter values are not scrubbed: they would blank out half of every text."""

_SHAPES = re.compile(
    r"""(?ix)
      (?P<user> \b[a-z][a-z0-9+.-]*:// [^\s/?\#@'"<>]* : ) [^\s/?\#@'"<>]+ (?= @ )
      # The S3 form that people type may have a password with any character in it.
    | (?P<typed> \bs3:// [^\s/?\#@:'"<>]* : ) [^\s'"<>]+ (?= @ )
    | (?P<query> [?&;] (?: x-amz-signature | x-amz-security-token | x-amz-credential
          | x-goog-signature | x-goog-credential | signature | awsaccesskeyid | access_token
          | sig | secret | secret_key | password | token ) = ) [^&\s'"<>]+
    | (?P<header> \b (?: proxy- )? authorization ['"]? \s* [:=] \s* (?: b? ['"] )? )
          [^\r\n'"}]+
    | (?P<token> \b (?: x-amz-security-token | x-aws-ec2-metadata-token | x-sso_bearer_token )
          ['"]? \s* [:=] \s* (?: b? ['"] )? ) [^\s'",}]+
    """
)
_INNERMOST = ("user", "typed", "query", "header", "token")

_lock = threading.Lock()
_known: set[str] = set()
_values: re.Pattern[str] | None = None
_installed = False


def register(value: str) -> None:
    """Have `value` scrubbed from now on, from `redact` and from this process's log records."""
    global _values
    if len(value) < SHORTEST or value in _known:
        return
    with _lock:
        _known.update(_forms(value))
        # Longest first: one secret may be the beginning of another.
        ordered = sorted(_known, key=len, reverse=True)
        _values = re.compile("|".join(re.escape(form) for form in ordered))
    _install()


def _forms(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogateescape")
    forms = {
        value,
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        b64encode(raw).decode("ascii"),
    }
    return {form for form in forms if len(form) >= SHORTEST}


def redact(text: str) -> str:
    """`text` without secrets: registered values, and whatever has the shape of one.

    >>> redact("GET https://me:hunter2@minio.example.org/b?X-Amz-Signature=0f1e")
    'GET https://me:[secret]@minio.example.org/b?X-Amz-Signature=[secret]'
    """
    if _values is not None:
        text = _values.sub(MASK, text)
    if "=" in text or ":" in text:
        text = _SHAPES.sub(_mask_shape, text)
    return text


def _mask_shape(match: re.Match[str]) -> str:
    head = next(match.group(name) for name in _INNERMOST if match.group(name) is not None)
    return head + MASK


class RedactingFilter(logging.Filter):
    """A filter for a handler or logger: scrubs the message and the traceback of each record.

    Lake puts it in front of all records of the process by itself as soon as it holds a secret;
    add it by hand only where records come from elsewhere, such as a log queue.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub `record` in place; every record passes."""
        scrub_record(record)
        return True


def scrub_record(record: logging.LogRecord) -> None:
    """Replace what `record` would print, only where that holds a secret."""
    try:
        message = record.getMessage()
    except Exception:  # a broken format string is its author's affair, reported by logging
        message = f"{record.msg!s} {record.args!r}"
        if redact(message) == message:
            return
    clean = redact(message)
    if clean != message:
        record.msg, record.args = clean, None
    if record.exc_info and record.exc_info[0] is not None:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        clean = redact(text)
        if clean != text:
            record.exc_text, record.exc_info = clean, None


def _install() -> None:
    """Put the scrubbing in front of every log record, once; a filter on the root logger would
    see only what is logged to the root itself, not what botocore or urllib3 log."""
    global _installed
    with _lock:
        if _installed:
            return
        _installed = True
    make: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()

    def scrubbed(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        scrub_record(record)
        return record

    logging.setLogRecordFactory(scrubbed)
