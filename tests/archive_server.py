"""A web server on loopback that serves a small archive, well or badly, as the first part of the path says."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fuzz.seeds import seed_files

CODE = "5e5z"


class Archive(ThreadingHTTPServer):
    """asked: the paths, as they came. Behaviours: ok, slow, stall, cut, short (without a length), redirect, loop, file
    (a redirect out of the web), refuse, gone, page, damaged, empty, wrong (the other file), drop, broken (500)."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        seeds = seed_files(folder)
        self.files = {
            f"{CODE}.cif.gz": gzip.compress(seeds["mmcif"], mtime=0),
            f"r{CODE}sf.ent.gz": gzip.compress(seeds["sfcif"], mtime=0),
            f"{CODE}.cif": seeds["mmcif"],
            f"r{CODE}sf.ent": seeds["sfcif"],
        }
        self.asked: list[str] = []
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: Archive

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _send(self, data: bytes, length: int | None = None, kind: str = "application/octet-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        parts = urlsplit(self.path).path.strip("/").split("/")
        behaviour, name = parts[0], parts[-1]
        data = self.server.files.get(name)
        if behaviour == "redirect":
            self.send_response(302)
            self.send_header("Location", "/ok/" + "/".join(parts[1:]))
            self.end_headers()
        elif behaviour in ("loop", "file"):
            self.send_response(301)
            self.send_header("Location", self.path if behaviour == "loop" else "file:///etc/hostname")
            self.end_headers()
        elif behaviour == "refuse":
            self.send_error(403)
        elif behaviour == "broken":
            self.send_error(503)
        elif behaviour == "gone" or data is None:
            self.send_error(404)
        elif behaviour == "page":
            self._send(b"<!DOCTYPE html><html>Please log in.</html>", None, "text/html")
        elif behaviour == "drop":
            self.connection.close()
        elif behaviour == "cut":
            self._send(data[: len(data) // 2], len(data))
        elif behaviour == "short":
            self._send(data[: len(data) // 2])
        elif behaviour == "damaged":
            self._send(data[:200] + b"\0\0\0\0" + data[204:], len(data))
        elif behaviour == "empty":
            self._send(b"", 0)
        elif behaviour == "wrong":
            other = next(value for key, value in self.server.files.items() if key != name and key.endswith(name[-2:]))
            self._send(other, len(other))
        elif behaviour == "stall":
            self._send(data[:100], len(data))
            self.wfile.flush()
            self.server.released.wait(20.0)
        elif behaviour == "slow":
            self._send(b"", len(data))
            for start in range(0, len(data), 128):
                self.wfile.write(data[start : start + 128])
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self._send(data, len(data))


@contextmanager
def archive_server(folder: Path) -> Iterator[Archive]:
    """The server, running."""
    server = Archive(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5.0)
