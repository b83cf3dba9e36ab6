"""A reverse proxy in front of an API. It serves `/gateway` and strips this prefix.

The proxy is nginx or, if nginx is not installed, the small one in this file. Both set X-Forwarded-Proto and
X-Forwarded-Prefix, and append the Host to whatever the client wrote into X-Forwarded-Host.

python gateway.py PORT UPSTREAM_PORT
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import local

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "/gateway"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_x_forwarded_host $forwarded_host {{
    "" $http_host;
    default "$http_x_forwarded_host, $http_host";
  }}
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $forwarded_host;
      proxy_set_header X-Forwarded-Prefix {prefix};
      proxy_pass http://127.0.0.1:{upstream}/;
    }}
  }}
}}
"""


class Gateway(NamedTuple):
    """A running proxy."""

    program: str
    url: str


@contextlib.contextmanager
def gateway(log: IO[str], api: str) -> Iterator[Gateway]:
    """A proxy in front of the API at the URL `api`. What it prints goes to `log`."""
    port, upstream = local.free_port(), urlsplit(api).port
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    with tempfile.TemporaryDirectory() as folder:
        if nginx is None:
            program = "a small proxy in Python: no nginx here"
            command = [sys.executable, __file__, str(port), str(upstream)]
        else:
            program = "nginx"
            configuration = Path(folder) / "nginx.conf"
            configuration.write_text(NGINX.format(folder=folder, port=port, prefix=PREFIX, upstream=upstream))
            command = [nginx, "-p", folder, "-e", "stderr", "-c", str(configuration)]
        with local.server(log, command, port):
            yield Gateway(program, f"http://127.0.0.1:{port}{PREFIX}")


class Handler(BaseHTTPRequestHandler):
    """Passes on GET requests below the prefix, without the prefix. It does only what the demo needs."""

    upstream = 0

    def do_GET(self) -> None:
        """One request to the API, and its answer."""
        if not self.path.startswith(f"{PREFIX}/"):
            self.send_error(404)
            return
        connection = HTTPConnection("127.0.0.1", self.upstream, timeout=10)
        connection.putrequest("GET", self.path[len(PREFIX) :], skip_host=True, skip_accept_encoding=True)
        for name, value in self._fields():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    def _fields(self) -> Iterator[tuple[str, str]]:
        own = {"x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix", "host", "connection"}
        yield from ((name, value) for name, value in self.headers.items() if name.lower() not in own)
        hosts = [*self.headers.get_all("X-Forwarded-Host", []), self.headers["Host"]]
        yield "Host", f"127.0.0.1:{self.upstream}"
        yield "Connection", "close"
        yield "X-Forwarded-Proto", "http"
        yield "X-Forwarded-Host", ", ".join(hosts)
        yield "X-Forwarded-Prefix", PREFIX


def main(port: str, upstream: str) -> None:
    """Serve until a signal comes."""
    Handler.upstream = int(upstream)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
