"""Shows a built leaderboard in a browser on this machine, and to no other machine."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from halubench.errors import InputError, OutputError
from halubench.rank.site import MARK

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"


class _Quiet(SimpleHTTPRequestHandler):
    """Files of one folder; the page itself says what it may load."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of ``folder``, on 127.0.0.1 alone; port 0 takes a free one. The caller runs it.

    Raises InputError where the folder holds no leaderboard, OutputError where the port is taken.
    """
    if not (folder / MARK).is_file() or not (folder / "index.html").is_file():
        what = f"{folder} holds no leaderboard."
        raise InputError(what, "Build one: halubench leaderboard build RESULTS --out DIR.")
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder)))
    except (OSError, OverflowError) as error:
        what = f"Port {port} cannot be used: {getattr(error, 'strerror', None) or error}."
        raise OutputError(what, "Give another one by --port, or 0 for any.") from error
