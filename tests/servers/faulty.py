"""A proxy that does wrong on purpose between a client and a server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Action = str | int | tuple[str, float] | tuple[str, str]
"""What to do with a request: "pass"; a status to answer with; "reset" before it is read,
"drop" after; "lost" once the server has done it; "truncate" or "flip" the answer's body, or give
it "untagged", without its ETag; ("delay", seconds); ("redirect", address); "skewed", as when
clocks differ; "hang"."""
Plan = Iterable[Action] | Callable[[str, str, dict[str, str]], Action]
"""Actions in turn (then "pass"), or a function of method, path and headers."""

_ERROR = b"<Error><Code>%s</Code><Message>made to fail</Message></Error>"
_CODES = {
    403: b"AccessDenied", 429: b"TooManyRequests", 500: b"InternalError", 501: b"NotImplemented",
    503: b"SlowDown",
}  # fmt: skip


@dataclass
class Faulty:
    """A running proxy. `plan` may be set anew at any time; `log` holds what it did."""

    url: str = ""
    plan: Plan = ()
    log: list[tuple[str, str, Action]] = field(default_factory=list)
    _left: tuple[Plan, Iterator[Action]] | None = None

    def next_action(self, method: str, path: str, headers: dict[str, str]) -> Action:
        if callable(self.plan):
            action = self.plan(method, path, headers)
        else:
            if self._left is None or self._left[0] is not self.plan:
                self._left = (self.plan, iter(self.plan))
            action = next(self._left[1], "pass")
        self.log.append((method, path, action))
        return action


@contextlib.contextmanager
def faulty(upstream: str) -> Iterator[Faulty]:
    """Run one in front of a server, in a thread of this process."""
    parts = urlsplit(upstream)
    proxy, loop, ready = Faulty(), asyncio.new_event_loop(), threading.Event()
    server: asyncio.Server | None = None

    async def start() -> None:
        nonlocal server
        handler = _Handler(proxy, parts.hostname or "", parts.port or 80)
        server = await asyncio.start_server(handler.serve, "127.0.0.1", 0)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()

    async def stop() -> None:
        assert server is not None
        server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class _Handler:
    def __init__(self, proxy: Faulty, host: str, port: int) -> None:
        self.proxy, self.host, self.port = proxy, host, port
        self.running: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The loop itself would let go of tasks that only wait, and they would be collected.
        self.running.add(asyncio.current_task())
        gone = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*gone):
            while await self.one(reader, writer):
                await writer.drain()
        writer.close()
        self.running.discard(asyncio.current_task())

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection lives on."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")[:-2]
        headers = {
            name.lower(): value.strip() for name, value in (text.split(":", 1) for text in fields)
        }
        method, path, _ = line.split(" ", 2)
        action = self.proxy.next_action(method, path, headers)
        if action == "reset":
            return _abort(writer)
        if "100-continue" in headers.get("expect", ""):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if action == "drop":
            return _abort(writer)
        if action == "hang":
            await asyncio.sleep(3600)
        if isinstance(action, tuple) and action[0] == "delay":
            await asyncio.sleep(float(action[1]))
        made = _made_up(action, method)
        if made is not None:
            writer.write(made)
            return True
        # A plan may have taken headers away.
        kept = [text for text in fields if text.partition(":")[0].lower() in headers]
        answer = await self.ask(line, kept, body)
        if action == "lost":
            return _abort(writer)
        return _give(writer, answer, action)

    async def ask(self, line: str, fields: list[str], body: bytes) -> bytes:
        dropped = ("connection:", "expect:")
        kept = [text for text in fields if not text.lower().startswith(dropped)]
        head = "\r\n".join([line, *kept, "Connection: close", "", ""])
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(head.encode("latin-1") + body)
        await writer.drain()
        answer = await reader.read(-1)
        writer.close()
        return answer


def _made_up(action: Action, method: str) -> bytes | None:
    """An answer that the server never gave, if the action asks for one."""
    status, code, extra = 0, b"", b""
    if isinstance(action, int):
        status, code = action, _CODES.get(action, b"Made")
    elif action == "skewed":
        status, code = 403, b"RequestTimeTooSkewed"
    elif isinstance(action, tuple) and action[0] == "redirect":
        status, extra = 302, f"Location: {action[1]}\r\n".encode()
    if not status:
        return None
    body = b"" if method == "HEAD" else _ERROR % code
    return (
        b"HTTP/1.1 %d Made up\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n%s\r\n"
        % (status, len(body), extra)
    ) + body


def _give(writer: asyncio.StreamWriter, answer: bytes, action: Action) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if body and action == "truncate":
        writer.write(answer[: len(head) + 4 + len(body) // 2])
        writer.transport.write_eof()
        return False
    if body and action == "flip":
        middle = len(body) // 2
        body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    dropped = (b"connection:", b"etag:") if action == "untagged" else (b"connection:",)
    lines = [text for text in head.split(b"\r\n") if not text.lower().startswith(dropped)]
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    low = head.lower()
    bodiless = low.split(b" ", 2)[1:2] in ([b"204"], [b"304"])
    return bodiless or b"content-length:" in low or b"transfer-encoding:" in low


def _abort(writer: asyncio.StreamWriter) -> bool:
    writer.transport.abort()
    return False


def refuses_conditions(method: str, path: str, headers: dict[str, str]) -> Action:
    """A plan: a server that answers 501 to conditional writes, as Swift's S3 interface does."""
    return 501 if method in ("PUT", "POST") and "if-none-match" in headers else "pass"


def ignores_ranges(method: str, path: str, headers: dict[str, str]) -> Action:
    """A plan: a server that gives the whole object whatever range is asked for."""
    headers.pop("range", None)
    return "pass"
