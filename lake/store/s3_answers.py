"""What an S3 server's refusal means to lake."""

from __future__ import annotations

from lake.errors import AccessDenied, LakeError, NotFound, RemoteError, Unsupported
from lake.secrets import redact

_ABSENT = {"NoSuchKey", "NotFound", "NoSuchVersion"}
_DENIED = {
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthFailure",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_PASSING = {
    "BadDigest",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "XMinioServerNotInitialized",
}
_ELSEWHERE = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "Redirect",
    "TemporaryRedirect",
}
KEYS = "lake remote check says where the keys came from"
_HINTS = {
    "InvalidAccessKeyId": f"the server does not know this access key; {KEYS}",
    "SignatureDoesNotMatch": f"the secret key is not that of the access key; {KEYS}",
    "RequestTimeTooSkewed": "this machine's clock is off; set it and run again",
    "ExpiredToken": "log in again, or renew the session's keys",
    "NoSuchBucket": "make the bucket first, or correct the remote's URL",
}


def is_occupied(status: int | None, code: str) -> bool:
    """Whether a conditional write was refused because something lies there."""
    # A 409 is for the loser of a race; it found the winner's object or will.
    return status == 412 or code in ("PreconditionFailed", "ConditionalRequestConflict")


def is_unconditional(status: int | None, code: str) -> bool:
    """Whether the server does not know conditional writes."""
    return status == 501 or code == "NotImplemented"


def refusal(status: int | None, code: str, message: str, *, url: str, key: str) -> LakeError:
    """The error for a server's answer.

    Args:
        status: of HTTP, where known.
        code, message: of S3's own, or a library's words for them.
        url: the store's clean one; with `key`, where it happened.
    """
    where = f"{url} {key}".rstrip()
    words = redact(f"{code}: {message}" if message else code)[:300]
    if code in _ABSENT:
        return NotFound("no such object", where=where)
    if code == "NoSuchBucket":
        return RemoteError("no such bucket", where=where, hint=_HINTS[code])
    if code in _ELSEWHERE or status in (301, 302, 303, 307, 308):
        return RemoteError(
            f"the server sends elsewhere ({words})",
            where=where,
            hint="name the bucket's own endpoint or ?region= in the remote's URL",
        )
    if code in _DENIED or status in (401, 403):
        hint = _HINTS.get(code, f"these keys may not do this; {KEYS}")
        return AccessDenied(f"the server refused ({words})", where=where, hint=hint)
    if status == 404:
        return NotFound("no such object", where=where)
    if code in _PASSING or status in (408, 425, 429) or ((status or 0) >= 500 and status != 501):
        return RemoteError(f"the server failed ({words})", transient=True, where=where)
    if status in (405, 501) or code in ("MethodNotAllowed", "NotImplemented"):
        return Unsupported(f"the server does not do this ({words})", where=where)
    return RemoteError(f"the server refused ({words})", where=where)
