"""The address of a remote: where a store is, and never who may enter it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from lake_schemas.errors import FormatError

_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):").match
_secretive = re.compile(
    r"secret|passw|pwd|token|session|credential|signature|sig$|auth|key|x-amz|x-goog",
    re.IGNORECASE,
).search
_bucket = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}").fullmatch
_host = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
).fullmatch
_option = re.compile(r"[a-z][a-z0-9_]{0,31}").fullmatch
_bad_in_url = re.compile(r"[\x00-\x20\x7f-\uffff\\]").search
_bad_decoded = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search

_TRUTH = ("true", "false")
_S3: dict[str, tuple[str, ...] | None] = {
    "endpoint": None,
    "region": None,
    "driver": None,
    "addressing": ("path", "virtual"),
    "public": _TRUTH,
    "unsigned_payload": _TRUTH,
    "requester_pays": _TRUTH,
}
OPTIONS: dict[str, dict[str, tuple[str, ...] | None]] = {
    "s3": _S3,
    "gs": {"endpoint": None, "driver": None, "public": _TRUTH, "project": None},
    "file": {},
    "https": {"driver": None},
    "http": {"driver": None},
}
"""Options that a URL of each built-in scheme may carry, with their values where they are few.
Other schemes belong to stores of third parties, who check their own."""

_SHAPES = {
    "s3": "s3://bucket/prefix?endpoint=https://host:port",
    "gs": "gs://bucket/prefix",
    "https": "https://host/path",
    "http": "http://host/path",
}


@dataclass(frozen=True)
class RemoteAddress:
    """A parsed remote URL without credentials.

    Attributes:
        scheme: "s3", "gs", "file", "https", "http", or that of a third party's store.
        bucket: the bucket; the host, with its port, for http(s); None for file.
        prefix: decoded, without slashes at its ends; for file the path itself.
        options: from the query, by name.

    >>> address = RemoteAddress.parse("s3://ml-data/blobs/?region=eu-west-1")
    >>> address.bucket, address.prefix, address.options
    ('ml-data', 'blobs', {'region': 'eu-west-1'})
    >>> address.key("lake.json"), address.url
    ('blobs/lake.json', 's3://ml-data/blobs?region=eu-west-1')
    """

    scheme: str
    bucket: str | None = None
    prefix: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    def __hash__(self) -> int:
        return hash(self.url)

    @classmethod
    def parse(cls, url: str) -> RemoteAddress:
        """A URL, or a plain path of a folder ("../store", "/mnt/blobs").

        Raises:
            FormatError: not an address, or one with credentials in it. Its text repeats nothing
                of the URL, since it may hold a secret.
        """
        found = _scheme(url)
        if found is None:
            return cls("file", None, _clean_path(url))
        scheme = found[1].lower()
        if not url[found.end() :].startswith("//"):
            raise FormatError(
                "neither a URL nor a path", hint="a URL has ://, a path with a colon starts with ./"
            )
        if _bad_in_url(url) is not None:
            raise FormatError(
                "a remote URL holds a blank, a backslash or a character outside ASCII",
                hint="write it percent-encoded",
            )
        try:
            parts = urlsplit(url)
        except ValueError:
            raise FormatError("not a URL") from None
        if "@" in parts.netloc or (scheme != "file" and "@" in url):
            raise FormatError(
                "a remote URL must not hold a user or password",
                hint="`lake remote add` keeps them in your own store of secrets; "
                "an @ in a path is written %40",
            )
        if "#" in url:
            raise FormatError("a remote URL has no #fragment", hint="a # in a path is written %23")
        options = _parse_options(parts.query)
        if scheme == "file":
            if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
                raise FormatError("a file URL names no host", hint="file:///path, or a plain path")
            return cls(scheme, None, _clean_path(unquote(parts.path)), options)
        bucket = parts.netloc.lower() if scheme in ("http", "https") else parts.netloc
        return cls(scheme, bucket, _prefix(parts.path), options)

    @property
    def url(self) -> str:
        """The canonical text; parsing it gives this address again."""
        query = urlencode(sorted(self.options.items()), quote_via=quote, safe=":/")
        tail = f"?{query}" if query else ""
        path = quote(self.prefix, safe="/~!$'()*,;=+:&")
        if self.scheme == "file":
            return f"file://{path}{tail}" if self.prefix.startswith("/") else self.prefix
        return f"{self.scheme}://{self.bucket}{'/' if path else ''}{path}{tail}"

    @property
    def path(self) -> str:
        """The folder of a file address: absolute, or relative to the file that names it."""
        if self.scheme != "file":
            raise FormatError("only a folder has a path", where=self.url)
        return self.prefix

    @property
    def is_relative(self) -> bool:
        """Whether this is a folder whose place depends on the file that names it."""
        return self.scheme == "file" and not self.prefix.startswith("/")

    def key(self, path: str) -> str:
        """The key, in the bucket, of an object at `path` below the prefix."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def __str__(self) -> str:
        return self.url


def _check(address: RemoteAddress) -> None:
    scheme, prefix, options = address.scheme, address.prefix, address.options
    if not 2 <= len(scheme) <= 32 or _scheme(scheme + ":") is None or scheme != scheme.lower():
        raise FormatError("a remote URL's scheme has 2 to 32 letters, digits, + . -")
    _check_options(scheme, options)
    if _bad_decoded(prefix) is not None:
        raise FormatError("a remote's path holds a control character")
    if scheme == "file":
        if address.bucket is not None or prefix != _clean_path(prefix):
            raise FormatError("a folder's path is not in its shortest form")
        if options and not prefix.startswith("/"):
            raise FormatError("a relative path has no options")
        return
    legal = _bucket if scheme in ("s3", "gs") else _host
    if address.bucket is None or legal(address.bucket) is None:
        raise FormatError(
            "a remote URL's bucket or host is missing or not legal",
            hint=_SHAPES.get(scheme, "scheme://host/path"),
        )
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise FormatError("a remote's path has empty, . or .. parts")


def _prefix(path: str) -> str:
    return unquote(path).removeprefix("/").removesuffix("/")


def _clean_path(path: str) -> str:
    if not path or path.startswith("~"):
        raise FormatError("not a path of a folder", hint="write it in full; ~ means nothing here")
    if _bad_decoded(path) is not None:
        raise FormatError("a path holds a control character")
    clean = posixpath.normpath(path)
    if clean.startswith("//"):
        clean = clean[1:]
    if clean.startswith("/") or clean in (".", "..") or clean.startswith(("./", "../")):
        return clean
    # With its "./" no reader takes the path for an alias or a scheme.
    return f"./{clean}"


def _parse_options(query: str) -> dict[str, str]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise FormatError("a remote URL's options are not name=value&name=value") from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise FormatError("a remote URL gives one option twice")
    return options


def _check_options(scheme: str, options: dict[str, str]) -> None:
    known = OPTIONS.get(scheme)
    for name, value in options.items():
        # Neither name nor value is repeated: either may be a secret in the wrong place.
        if _secretive(name) is not None:
            raise FormatError(
                "a remote URL must not hold a key, password, token or signature",
                hint="`lake remote add` keeps credentials in your own store of secrets",
            )
        if _option(name) is None or (known is not None and name not in known):
            allowed = ", ".join(known) if known else "none" if known is not None else "a-z 0-9 _"
            raise FormatError(
                "a remote URL holds an option that is not known", hint=f"known here: {allowed}"
            )
        choices = known[name] if known is not None else None
        if not value or _bad_decoded(value) or (choices is not None and value not in choices):
            wanted = f"one of {', '.join(choices)}" if choices else "some text"
            raise FormatError(f"option {name} of a remote URL must be {wanted}")
        if name == "endpoint":
            _check_endpoint(value)


def _check_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is none)
    except ValueError:
        parts = None
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or _host(parts.netloc) is None
        or parts.query
        or parts.fragment
        or _bad_in_url(url)
    ):
        raise FormatError("an endpoint must be http(s)://host:port, without user or password")


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL in pipelime's form as a clean URL, and the credentials that were in it.

    `s3://user:password@host:port/bucket/prefix?secure=false` is an endpoint and a bucket of
    that server. Any other URL comes back as it is. A password may hold "/" as it is; "@", "?"
    and "%" are to be percent-encoded.

    >>> split_credentials("s3://me:pa%40ss@localhost:9000/data/x?secure=false")
    ('s3://data/x?endpoint=http://localhost:9000', ('me', 'pa@ss'))

    Raises:
        FormatError: credentials in another kind of URL, or a session token among its options.
    """
    found = _scheme(url)
    if found is None or not url[found.end() :].startswith("//"):
        return url, None
    rest, _, query = url[found.end() + 2 :].partition("?")
    head = rest.partition("/")[0]
    # The first "/" ends the host, unless the password itself holds one.
    at = head.rfind("@") if "@" in head else rest.find("@")
    if at < 0 and not (found[1].lower() == "s3" and ":" in head):
        return url, None
    if found[1].lower() != "s3":
        raise FormatError("only an s3 URL may be typed with a user and password in it")
    user, colon, password = rest[:at].partition(":") if at >= 0 else ("", "", "")
    host, _, path = rest[at + 1 :].partition("/")
    bucket, _, prefix = path.partition("/")
    options = dict(
        pair.split("=", 1) for pair in re.split(r"[&:](?=[a-z_]+=)", query) if "=" in pair
    )
    if "session" in options:
        raise FormatError(
            "a session token does not belong in a URL", hint="set AWS_SESSION_TOKEN instead"
        )
    secure = options.pop("secure", "true").lower() != "false"
    if at >= 0 and not (user and colon and password):
        raise FormatError("a URL with a user needs a password too: s3://user:password@host/bucket")
    if _host(host) is None or not bucket:
        raise FormatError(
            "not of the form s3://user:password@host:port/bucket/prefix",
            hint="percent-encode @ ? and % in the password",
        )
    options["endpoint"] = f"{'https' if secure else 'http'}://{host}"
    options = {name: unquote(value) for name, value in options.items()}
    clean = RemoteAddress("s3", bucket, _prefix(prefix), options)
    pair = (unquote(user), unquote(password)) if at >= 0 else None
    return clean.url, pair
