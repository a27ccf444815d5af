from __future__ import annotations

import pickle
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lake_schemas.errors import FormatError
from lake_schemas.remote import RemoteAddress, split_credentials


@pytest.mark.parametrize(
    ("text", "scheme", "bucket", "prefix", "options", "url"),
    [
        ("s3://b", "s3", "b", "", {}, "s3://b"),
        ("S3://b/", "s3", "b", "", {}, "s3://b"),
        ("s3://b/p/q/", "s3", "b", "p/q", {}, "s3://b/p/q"),
        (
            "s3://b/p?region=eu&endpoint=https://h:9000",
            "s3",
            "b",
            "p",
            {"endpoint": "https://h:9000", "region": "eu"},
            "s3://b/p?endpoint=https://h:9000&region=eu",
        ),
        ("s3://b/a%20b%2540", "s3", "b", "a b%40", {}, "s3://b/a%20b%2540"),
        ("gs://b/p", "gs", "b", "p", {}, "gs://b/p"),
        ("https://Data.Org:8443/x/", "https", "data.org:8443", "x", {}, "https://data.org:8443/x"),
        ("file:///mnt/nas%20x", "file", None, "/mnt/nas x", {}, "file:///mnt/nas%20x"),
        ("file://localhost/mnt", "file", None, "/mnt", {}, "file:///mnt"),
        ("/mnt/a%20b", "file", None, "/mnt/a%20b", {}, "file:///mnt/a%2520b"),
        ("/mnt/./x/../y/", "file", None, "/mnt/y", {}, "file:///mnt/y"),
        ("../store", "file", None, "../store", {}, "../store"),
        ("store/", "file", None, "./store", {}, "./store"),
        ("./a:b", "file", None, "./a:b", {}, "./a:b"),
        (".", "file", None, ".", {}, "."),
        (
            "ssh2://host:22/x?speed=3",
            "ssh2",
            "host:22",
            "x",
            {"speed": "3"},
            "ssh2://host:22/x?speed=3",
        ),
    ],
)
def test_what_an_address_means(
    text: str, scheme: str, bucket: str | None, prefix: str, options: dict[str, str], url: str
) -> None:
    address = RemoteAddress.parse(text)
    assert address == RemoteAddress(scheme, bucket, prefix, options)
    assert address.url == str(address) == url
    assert RemoteAddress.parse(url) == address
    assert hash(RemoteAddress.parse(url)) == hash(address)
    assert pickle.loads(pickle.dumps(address)) == address


@given(
    st.sampled_from(["s3", "gs", "https", "other"]),
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}[a-z0-9]", fullmatch=True),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_parsing_the_canonical_text_changes_nothing(scheme: str, host: str, prefix: str) -> None:
    try:
        address = RemoteAddress.parse(f"{scheme}://{host}/{quote(prefix)}")
    except FormatError:
        assume(False)
        raise
    assert RemoteAddress.parse(address.url) == address
    assert RemoteAddress.parse(address.url).url == address.url


@given(st.text(min_size=1, max_size=30))
def test_any_text_is_an_address_or_a_format_error(text: str) -> None:
    try:
        address = RemoteAddress.parse(text)
    except FormatError:
        pass
    else:
        assert RemoteAddress.parse(address.url) == address


def test_folders_are_absolute_or_relative() -> None:
    assert RemoteAddress.parse("../store").is_relative
    assert RemoteAddress.parse("../store").path == "../store"
    assert not RemoteAddress.parse("/mnt/x").is_relative
    assert not RemoteAddress.parse("s3://b").is_relative
    with pytest.raises(FormatError):
        _ = RemoteAddress.parse("s3://b").path


def test_keys_lie_below_the_prefix() -> None:
    assert RemoteAddress.parse("s3://b/p").key("lake.json") == "p/lake.json"
    assert RemoteAddress.parse("s3://b").key("lake.json") == "lake.json"


SECRET = "hunter2SECRET"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://me:{SECRET}@b",
        f"s3://me:{SECRET}@host:9000/b",
        f"s3://me:{SECRET}/x@host:9000/b",
        f"s3://me:12/{SECRET}@host:9000/b",
        f"s3://{SECRET}@b",
        f"https://me:{SECRET}@host/x",
        f"https://me:80/{SECRET}@host/x",
        f"file://me:{SECRET}@host/x",
        f"other://me:{SECRET}@host/x",
        f"s3://b?secret_key={SECRET}",
        f"s3://b?SecretAccessKey={SECRET}",
        f"s3://b?password={SECRET}",
        f"s3://b?session_token={SECRET}",
        f"s3://b?access_key_id={SECRET}",
        f"s3://b?key={SECRET}",
        f"s3://b?{SECRET}",
        f"s3://b?{SECRET}=1",
        f"s3://b?region={SECRET}&region={SECRET}",
        f"s3://b?public={SECRET}",
        f"s3://b?endpoint=https://me:{SECRET}@h",
        f"s3://b?endpoint=https%3A%2F%2Fme%3A{SECRET}%40h",
        f"s3://b?endpoint=https://h/?x={SECRET}",
        f"https://host/x?X-Amz-Signature={SECRET}",
        f"https://host/x?sig={SECRET}",
        f"other://host/x?token={SECRET}",
        f"other://host/x?api_key={SECRET}",
        f"other://host/x?auth={SECRET}",
        f"s3://b/x#{SECRET}",
        f"s3://me:{SECRET} @b",
        f"s3://me:{SECRET}\n@b",
        f"s3://[::1/{SECRET}",
    ],
)
def test_P9_no_credential_is_accepted_or_repeated(url: str) -> None:
    with pytest.raises(FormatError) as caught:
        RemoteAddress.parse(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        assert SECRET not in repr(error)
        # "raise ... from None" hides what the library said, but keeps it.
        assert error.__suppress_context__ or error.__context__ is None
        error = error.__cause__


@pytest.mark.parametrize(
    "url",
    [
        "",
        "~/store",
        "~",
        "a\x00b",
        "C:\\data",
        "C:/data",
        "s3:bucket",
        "s3://",
        "s3:///x",
        "s3://b:9000/x",
        "s3://b/../x",
        "s3://b/%2e%2e/x",
        "s3://b//x",
        "s3://b/x?regoin=eu",
        "s3://b?region=",
        "s3://b?endpoint=h:9000",
        "s3://b?endpoint=ftp://h",
        "s3://b?endpoint=https://h:x",
        "s3://b/%00",
        "s3://b\\c",
        "s3://b/é",
        "file://host/share",
        "file://x",
        "https://",
        "https:///x",
        "https://exa mple/x",
        "https://-x/",
        "x://h",
        "file:///x?mode=rw",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(FormatError):
        RemoteAddress.parse(url)


def test_an_address_made_by_hand_is_checked_too() -> None:
    for make in (
        lambda: RemoteAddress("s3", "b", "", {"secret": "x"}),
        lambda: RemoteAddress("s3", None),
        lambda: RemoteAddress("s3", "b", "/x"),
        lambda: RemoteAddress("file", "h", "/x"),
        lambda: RemoteAddress("file", None, "x"),
        lambda: RemoteAddress("file", None, "./x", {"a": "b"}),
        lambda: RemoteAddress("S3", "b"),
    ):
        with pytest.raises(FormatError):
            make()


@pytest.mark.parametrize(
    ("typed", "clean", "pair"),
    [
        (
            "s3://me:pw@localhost:9000/data/x",
            "s3://data/x?endpoint=https://localhost:9000",
            ("me", "pw"),
        ),
        (
            "s3://me:pw@localhost:9000/data?secure=false",
            "s3://data?endpoint=http://localhost:9000",
            ("me", "pw"),
        ),
        (
            "s3://me:pw@h/data?secure=False:region=eu-west-1",
            "s3://data?endpoint=http://h&region=eu-west-1",
            ("me", "pw"),
        ),
        (
            "s3://me:pw@h/data?secure=true&region=eu",
            "s3://data?endpoint=https://h&region=eu",
            ("me", "pw"),
        ),
        ("s3://me:p%40s%2Fs@h/data", "s3://data?endpoint=https://h", ("me", "p@s/s")),
        ("s3://me:a/b+c@h:1/data/x", "s3://data/x?endpoint=https://h:1", ("me", "a/b+c")),
        ("s3://me:a@b@h:1/data/x", "s3://data/x?endpoint=https://h:1", ("me", "a@b")),
        ("s3://h:9000/data", "s3://data?endpoint=https://h:9000", None),
        ("s3://data/x?region=eu", "s3://data/x?region=eu", None),
        ("../store", "../store", None),
        ("main", "main", None),
        ("https://h/x", "https://h/x", None),
    ],
)
def test_pipelimes_urls_are_split(typed: str, clean: str, pair: tuple[str, str] | None) -> None:
    assert split_credentials(typed) == (clean, pair)
    if pair is not None:
        RemoteAddress.parse(clean)


@pytest.mark.parametrize(
    "typed",
    [
        f"https://me:{SECRET}@h/x",
        f"s3://me:{SECRET}@h",
        f"s3://me:{SECRET}@/b",
        f"s3://:{SECRET}@h/b",
        f"s3://{SECRET}@h/b",
        f"s3://me:{SECRET}@h/b?session={SECRET}",
        f"s3://me:{SECRET}@h/b?token={SECRET}",
        f"s3://me:{SECRET}@h:x/b",
    ],
)
def test_P9_a_url_that_cannot_be_split_is_not_repeated(typed: str) -> None:
    with pytest.raises(FormatError) as caught:
        split_credentials(typed)
    assert SECRET not in str(caught.value)
