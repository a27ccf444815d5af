"""Reading over HTTP: kept connections, ranges, and no going where nobody sent us.

obstore follows redirects to anywhere and does not say where an answer came from, so what is read
without keys, from servers that anybody may have named, goes through this instead. Redirects
within one server are followed; to another host, port or scheme they are refused, and so is any
connection that ends at a link-local or metadata address, whatever the name said.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from lake.errors import LakeError, NotFound, RemoteError, UntrustedRemote
from lake.store.endpoints import metadata_address
from lake.store.s3_answers import refusal
from lake.store.store import CHUNK
from lake.store.stream import cut
from lake.store.wire import Answer

CONNECT_SECONDS = 10
READ_SECONDS = 60
_REDIRECTS = 5
_STALE = (http.client.RemoteDisconnected, ConnectionError)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "lake"}


@dataclass(frozen=True, slots=True)
class _Reply:
    """The head of an answer, and its connection, whose body is still to be read."""

    status: int
    headers: http.client.HTTPMessage
    body: http.client.HTTPResponse
    connection: http.client.HTTPConnection


class Web:
    """One server, and the connections to it that wait for their next use.

    Args:
        origin: scheme, host and port, such as https://data.example.org.
        url: what errors show.

    Thread-safe; a forked child opens connections of its own.
    """

    def __init__(self, origin: str, url: str) -> None:
        parts = urlsplit(origin)
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self.port = parts.port or (443 if self.scheme == "https" else 80)
        self._origin, self._url = origin, url
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._pid = os.getpid()
        self._tls: ssl.SSLContext | None = None
        self._plain: bool | None = None

    def get(self, path: str, start: int = 0, stop: int | None = None, *, key: str) -> Answer | None:
        """A range of what lies at a path, not empty; None when it ends before `start`."""
        ranged = bool(start) or stop is not None
        wanted = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"} if ranged else {}
        reply = self._ask("GET", path, wanted, key)
        if reply.status == 416 and ranged:
            self._done(reply)
            return None
        try:
            size = self._size(reply, key)
            if reply.status == 200 and ranged:
                end = size if stop is None else min(stop, size)
                chunks = cut(self._chunks(reply, key), start, end)
                return Answer(max(0, end - start), chunks, reply.connection.close)
            if reply.status == 206:
                _check_range(reply, start, size, self._where(key))
        except LakeError:
            reply.connection.close()
            raise
        return Answer(size, self._chunks(reply, key), lambda: self._leave(reply))

    def page(self, path: str, most: int, *, key: str) -> bytes:
        """All of an answer that is made up as it is given, of at most so many bytes."""
        reply = self._ask("GET", path, {}, key)
        try:
            data = reply.body.read(most + 1)
        except (OSError, http.client.HTTPException) as error:
            reply.connection.close()
            raise self._broken(error, key) from None
        self._leave(reply)
        if len(data) > most:
            raise RemoteError(f"an answer of more than {most} bytes", where=self._where(key))
        return data

    def stat(self, path: str, *, key: str) -> tuple[int, float | None]:
        """Size in bytes and time of change in seconds since the epoch."""
        reply = self._ask("HEAD", path, {}, key, also=(405, 501))
        if reply.status in (405, 501):
            self._done(reply)
            return self._stat_by_get(path, key)
        try:
            return self._size(reply, key), _modified(reply)
        finally:
            self._done(reply)

    def close(self) -> None:
        """Close the connections that wait."""
        with self._lock:
            waiting, self._idle = self._idle, []
        for connection in waiting:
            connection.close()

    def __del__(self) -> None:
        self.close()

    def _stat_by_get(self, path: str, key: str) -> tuple[int, float | None]:
        reply = self._ask("GET", path, {"Range": "bytes=0-0"}, key)
        try:
            if found := _CONTENT_RANGE.match(reply.headers.get("Content-Range", "")):
                return int(found[3]), _modified(reply)
            if reply.status == 416:
                return 0, _modified(reply)
            return self._size(reply, key), _modified(reply)
        except ValueError:
            raise RemoteError(
                "the server does not say how long it is", where=self._where(key)
            ) from None
        finally:
            reply.connection.close()

    # -- asking

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        key: str,
        also: tuple[int, ...] = (),
    ) -> _Reply:
        """The reply, after redirects within the server; refusals as errors."""
        for _ in range(_REDIRECTS):
            reply = self._send(method, path, {**_HEADERS, **headers}, key)
            if reply.status in (200, 206, 416, *also):
                return reply
            self._done(reply)
            if reply.status not in (301, 302, 303, 307, 308):
                raise refusal(reply.status, f"HTTP {reply.status}", "", url=self._url, key=key)
            location = reply.headers.get("Location")
            if not location:
                raise refusal(reply.status, f"HTTP {reply.status}", "", url=self._url, key=key)
            path = self._redirected(path, location, key)
        raise RemoteError("the server redirects in circles", where=self._where(key))

    def _redirected(self, path: str, location: str, key: str) -> str:
        target = urlsplit(urljoin(f"{self._origin}{path}", location))
        port = target.port or (443 if target.scheme == "https" else 80)
        if (target.scheme, target.hostname, port) != (self.scheme, self.host, self.port):
            raise RemoteError(
                f"the server redirects to {target.scheme}://{target.netloc.rpartition('@')[2]}",
                where=self._where(key),
                hint="if that is where the data now is, name that address in the remote",
            )
        if target.path == f"{urlsplit(path).path}/":
            raise NotFound("a directory, not an object", where=self._where(key))
        return target.path + (f"?{target.query}" if target.query else "")

    def _send(self, method: str, path: str, headers: Mapping[str, str], key: str) -> _Reply:
        while True:
            connection, used = self._connection()
            try:
                if connection.sock is None:
                    self._connect(connection)
                connection.request(method, self._proxied(path), headers=dict(headers))
                body = connection.getresponse()
                return _Reply(body.status, body.headers, body, connection)
            except _STALE as error:
                connection.close()
                if not used:
                    raise self._broken(error, key) from None
                # The server had hung up on a connection that waited: nothing was done yet.
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise self._broken(error, key) from None

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it has been used before."""
        with self._lock:
            if self._pid != os.getpid():
                for theirs in self._idle:  # the parent keeps its own ends of them
                    theirs.close()
                self._idle, self._pid = [], os.getpid()
            if self._idle:
                return self._idle.pop(), True
        proxy = _proxy(self.scheme, self.host)
        host, port = (proxy.hostname or "", proxy.port or 80) if proxy else (self.host, self.port)
        made: http.client.HTTPConnection
        if self.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            made = http.client.HTTPSConnection(
                host, port, timeout=CONNECT_SECONDS, context=self._tls
            )
            if proxy:
                made.set_tunnel(self.host, self.port)
        else:
            made = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return made, False

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        connection.connect()
        peer = connection.sock.getpeername()[0]
        literal = f"[{peer}]" if ":" in peer else peer
        if metadata_address(f"{self.scheme}://{literal}") is not None:
            connection.close()
            raise UntrustedRemote(
                f"the server's name leads to a link-local or metadata address ({peer})",
                where=self._url,
                hint="no store lives there; take the remote out of the text that names it",
            )
        connection.sock.settimeout(READ_SECONDS)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _proxied(self, path: str) -> str:
        if self._plain is None:
            # Asked once: going through all of the environment costs a third of a small request.
            self._plain = self.scheme == "http" and _proxy(self.scheme, self.host) is not None
        return f"{self._origin}{path}" if self._plain else path

    # -- reading

    def _chunks(self, reply: _Reply, key: str) -> Iterator[bytes]:
        try:
            while chunk := reply.body.read(CHUNK):
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            reply.connection.close()
            raise self._broken(error, key) from None
        if left := reply.body.length:
            reply.connection.close()
            raise RemoteError(
                f"the connection broke {left} bytes before the end",
                transient=True,
                where=self._where(key),
            )

    def _leave(self, reply: _Reply) -> None:
        """Keep the connection for the next request if all was read, else close it."""
        if reply.body.isclosed() and not reply.body.will_close:
            with self._lock:
                self._idle.append(reply.connection)
        else:
            reply.connection.close()

    def _done(self, reply: _Reply) -> None:
        """Read and forget what little there is of a body."""
        with suppress(OSError, http.client.HTTPException):
            reply.body.read(1 << 16)
        self._leave(reply)

    def _size(self, reply: _Reply, key: str) -> int:
        if reply.headers.get("Content-Encoding", "identity") != "identity":
            raise RemoteError("the server compresses, unasked", where=self._where(key))
        length = reply.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise RemoteError("the server does not say how long it is", where=self._where(key))
        return int(length)

    def _where(self, key: str) -> str:
        return f"{self._url} {key}".rstrip()

    def _broken(self, error: Exception, key: str) -> LakeError:
        where = self._where(key)
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "set SSL_CERT_FILE to the file of its certificate authority"
            return RemoteError("the server's certificate is not trusted", where=where, hint=hint)
        if isinstance(error, ssl.SSLError):
            return RemoteError("the server does not speak TLS", where=where)
        if isinstance(error, socket.gaierror):
            hint = "check the address and the network"
            return RemoteError("the server's name is not known", where=where, hint=hint)
        if isinstance(error, TimeoutError):
            return RemoteError("the server did not answer in time", transient=True, where=where)
        if isinstance(error, ConnectionRefusedError):
            return RemoteError("no connection to the server", transient=True, where=where)
        return RemoteError("the connection broke", transient=True, where=where)


def escaped(key: str) -> str:
    """A key as part of a URL's path."""
    return quote(key, safe="/~-._")


def _check_range(reply: _Reply, start: int, size: int, where: str) -> None:
    found = _CONTENT_RANGE.match(reply.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != start or int(found[2]) - start + 1 != size:
        raise RemoteError("the server gave another range than it was asked for", where=where)


def _modified(reply: _Reply) -> float | None:
    try:
        return parsedate_to_datetime(reply.headers.get("Last-Modified", "")).timestamp()
    except ValueError:
        return None


def _proxy(scheme: str, host: str) -> SplitResult | None:
    found = urllib.request.getproxies().get(scheme)
    if not found or urllib.request.proxy_bypass(host):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")
