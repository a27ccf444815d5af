"""A server that refuses every request and repeats in its answer all that it was told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Tattler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 403

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        told = f"{self.command} {self.path}\n{self.headers}"
        body = (
            "<?xml version='1.0'?><Error><Code>AccessDenied</Code>"
            f"<Message>you said: {told}</Message></Error>"
        ).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Silence: what this server heard is nobody's business."""


@contextmanager
def tattler() -> Iterator[int]:
    """Run one on loopback; yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tattler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
