"""nginx: a plain web server with ranges, and with DAV's PUT; what a client can reach at most."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.debian import own_suite, unpacked
from tests.servers.processes import Process, free_port

_CONF = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    client_body_buffer_size 16m;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    sendfile on;
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:{port};
        root {data};
        set $tag "";
        if ($request_method = PUT) {{ set $tag '"put"'; }}
        location / {{
            dav_methods PUT DELETE;
            create_full_put_path on;
            # S3 answers a PUT with an ETag; nginx by itself only a GET.
            add_header ETag $tag;
        }}
        location /moved/ {{ return 302 http://127.0.0.1:{port}/here/; }}
    }}
}}
"""


@dataclass
class WebServer:
    """A web server: `url` serves what lies in the folder `data`."""

    url: str
    data: Path


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[WebServer]:
    """Run one."""
    program, env = _program()
    data, port = folder / "data", free_port()
    data.mkdir(parents=True)
    (folder / "body").mkdir()
    # Started as root it would serve as nobody, who cannot look into folders of tests.
    user = "user root;" if os.geteuid() == 0 else ""
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, data=data, port=port, user=user))
    process = Process([program, "-c", conf, "-p", folder, "-e", folder / "error.log"],
                      folder / "log", env)  # fmt: skip
    try:
        process.wait_for_http(port)
        yield WebServer(f"http://127.0.0.1:{port}", data)
    finally:
        process.stop()


def _program() -> tuple[Path, dict[str, str] | None]:
    for name in ("nginx", "/usr/sbin/nginx"):
        if found := shutil.which(name):
            return Path(found), None
    root = unpacked("nginx", ["nginx-light"], [own_suite()])
    libraries = ":".join(str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu*")))
    return root / "usr/sbin/nginx", {**os.environ, "LD_LIBRARY_PATH": libraries}
