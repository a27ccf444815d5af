"""Whose an endpoint is, and which never to talk to."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

# Only names that no customer can have: an EC2 machine, an API gateway or a load balancer of
# anybody's also ends in amazonaws.com.
_AWS_HOST = re.compile(
    r"s3(-fips|-accelerate)?(\.dualstack)?([.-][a-z]{2}(-[a-z]+)+-[0-9])?\.amazonaws\.com(\.cn)?"
)
_GOOGLE_HOST = re.compile(r"(storage|www)\.googleapis\.com")

_METADATA_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: AWS, Google, Azure, Oracle, DigitalOcean ...
        "fe80::/10",  # the same in IPv6
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::/32",  # Google over IPv6
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's host agent
        "192.0.0.192/32",  # Oracle, older machines
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA_NAMES = re.compile(
    r"(.*\.)?(metadata|instance-data)(\.google\.internal|\.ec2\.internal)?"
)


def is_providers_own(scheme: str, endpoint: str) -> bool:
    """Whether `endpoint` is the provider's own, over TLS: Amazon's for s3, Google's for gs.

    >>> is_providers_own("s3", "https://s3.eu-west-1.amazonaws.com")
    True
    >>> is_providers_own("s3", "https://ec2-203-0-113-7.compute-1.amazonaws.com")
    False
    """
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or parts.port is not None:
        return False
    host = parts.hostname or ""
    if scheme == "s3":
        return _AWS_HOST.fullmatch(host) is not None
    return scheme == "gs" and _GOOGLE_HOST.fullmatch(host) is not None


def metadata_address(endpoint: str) -> str | None:
    """The link-local or metadata address that `endpoint` leads to, or None.

    Names are looked up, so a name that resolves to such an address is found too, as are its
    spellings in decimal, octal, hexadecimal and IPv6. A name that does not resolve leads
    nowhere, and the connection will say so.
    """
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").rstrip(".").lower()
    if _METADATA_NAMES.fullmatch(host):
        return host
    for address in _addresses(host):
        if any(address in network for network in _METADATA_NETWORKS):
            return str(address)
    return None


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What `host` stands for; embedded IPv4 addresses are taken out of IPv6 ones."""
    try:
        # inet_aton reads what browsers and libcurl read: 2852039166, 0xa9.254.169.254 ...
        texts = [socket.inet_ntoa(socket.inet_aton(host))]
    except (OSError, UnicodeError):
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            texts = [str(entry[4][0]) for entry in found]
        except (OSError, UnicodeError):
            return []
    return [_unwrapped(ipaddress.ip_address(text.partition("%")[0])) for text in texts]


def _unwrapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    # ::a.b.c.d, long deprecated, is still routed by some stacks.
    if 1 < int(address) < 1 << 32:
        return ipaddress.IPv4Address(int(address))
    return address.ipv4_mapped or address.sixtofour or address
