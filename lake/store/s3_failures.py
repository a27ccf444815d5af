"""obstore's exceptions as lake's errors.

Their texts quote requests and answers, and may quote credentials; so what leaves here is built
anew from a status, a code and a scrubbed message, and the original is never chained to it.
"""

from __future__ import annotations

import re

from lake.errors import AccessDenied, LakeError, NotFound, RemoteError
from lake.secrets import redact
from lake.store.s3_answers import refusal
from lake.store.wire import unnameable

_DEBUG = "\n\nDebug source:"
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,64})</Code>|\(code: ([A-Za-z0-9.]{1,64})\)")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_ADDRESS = re.compile(r"https?://\S+")


class NotPartial(Exception):
    """The server answered a ranged request with the whole object."""


class BeyondEnd(Exception):
    """The range begins at or after the object's end."""


def status_and_code(error: BaseException) -> tuple[int | None, str]:
    """HTTP's status and S3's code of an answer that obstore made an exception of."""
    text = _head(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return (int(status[1]) if status else None, (code[1] or code[2]) if code else "")


def is_unnamed(error: BaseException) -> bool:
    """Whether a write was taken, but the answer lacks the ETag that obstore insists on."""
    return "ETag Header missing" in _head(error)


def failure(
    error: BaseException, *, url: str, key: str, cause: LakeError | None, ranged: bool = False
) -> Exception:
    """What to raise, `from None`, in the place of one of obstore's exceptions.

    Args:
        url, key: where it happened.
        cause: what the source of credentials raised last, if it did.
        ranged: a range was asked for, so NotPartial and BeyondEnd may be the answer.
    """
    import obstore.exceptions as known

    text = _head(error)
    status, code = status_and_code(error)
    if ranged and (status == 416 or code == "InvalidRange"):
        return BeyondEnd()
    if ranged and ("non-partial" in text or isinstance(error, known.NotSupportedError)):
        return NotPartial()
    if status is not None or code:
        message = _MESSAGE.search(text)
        words = message[1] if message else "" if code else f"HTTP {status}"
        return refusal(status, code or words, words if code else "", url=url, key=key)
    where = f"{url} {key}".rstrip()
    if isinstance(error, FileNotFoundError):
        return NotFound("no such object", where=where)
    if isinstance(error, known.UnauthenticatedError):
        return _unsigned(where, cause)
    if "object with invalid path" in text:
        return unnameable(url, None)
    if "redirect without LOCATION" in text:
        return refusal(301, "Redirect", "", url=url, key=key)
    return _connection(error, text, where)


def _head(error: BaseException) -> str:
    return str(error).partition(_DEBUG)[0]


def _unsigned(where: str, cause: LakeError | None) -> LakeError:
    if cause is not None:
        return type(cause)(cause.what, where=cause.where or where, hint=cause.hint)
    return AccessDenied("the source of credentials failed", where=where, hint="lake remote check")


_KINDS: tuple[tuple[str, str, bool, str | None], ...] = (
    ("dns error", "the server's name is not known", False, "check the endpoint and the network"),
    ("InvalidCertificate", "the server's certificate is not trusted", False,
     "set SSL_CERT_FILE or AWS_CA_BUNDLE to the file of its certificate authority"),
    ("InvalidContentType", "the server does not speak TLS", False,
     "is its endpoint http, not https?"),
    ("ETag Header missing", "the server's answer is incomplete", True, None),
    ("kind: Timeout", "the server did not answer in time", True, None),
    ("kind: Connect", "no connection to the server", True, None),
    ("kind: Interrupted", "the connection broke", True, None),
    ("HTTP error", "the connection broke", True, None),
    ("Decode", "the connection broke", True, None),
)  # fmt: skip


def _connection(error: BaseException, text: str, where: str) -> LakeError:
    whole = str(error)
    for sign, what, transient, hint in _KINDS:
        if sign in whole:
            return RemoteError(what, transient=transient, where=where, hint=hint)
    words = redact(_ADDRESS.sub("...", text))[:200]
    return RemoteError(f"the request failed ({words})", where=where)
