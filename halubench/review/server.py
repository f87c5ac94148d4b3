"""The review page: on this machine only, for whoever has the link.

The link holds a token that works once; it becomes a session cookie. Requests that name another
host, come from another origin, or bring no session are refused (DNS rebinding, cross-site
requests). The page loads nothing from elsewhere, and rows reach it as JSON that is shown as text.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from halubench.errors import HalubenchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from halubench.review.desk import Desk

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PAGE = Path(__file__).with_name("page")
_FILES = {"/": "index.html", "/style.css": "style.css", "/script.js": "script.js"}
_COOKIE = "halubench-review"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class ReviewServer:
    """Serves one reviewer's desk at ``http://127.0.0.1:PORT``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._token: str | None = secrets.token_urlsafe(24)
        self._session = secrets.token_urlsafe(24)
        self._hosts: frozenset[str] = frozenset()
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen on a free port; the link to give to the reviewer. Raises OSError."""
        app = web.Application(middlewares=[self._guard])
        for path in _FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/state", self._state)
        app.router.add_post("/decide", self._decide)
        app.router.add_post("/undo", self._undo)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        return f"http://127.0.0.1:{port}/?token={self._token}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = self._let_in(request) or await handler(request)
        except HalubenchError as error:
            response = web.json_response({"error": str(error)}, status=400)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.reason)
        response.headers.update(_HEADERS)
        return response

    def _let_in(self, request: web.Request) -> web.Response | None:
        """None for whoever may go on; else the answer."""
        origin = request.headers.get("Origin")
        if request.host not in self._hosts:
            return web.Response(status=403, text="This page is served on this machine only.")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return web.Response(status=403, text="Requests of other pages are refused.")
        given = request.query.get("token")
        if given and self._token and secrets.compare_digest(given.encode(), self._token.encode()):
            self._token = None
            response = web.Response(status=303, headers={"Location": "/"})
            response.set_cookie(_COOKIE, self._session, httponly=True, samesite="Strict", path="/")
            return response
        known = request.cookies.get(_COOKIE, "")
        if not secrets.compare_digest(known.encode(), self._session.encode()):
            return web.Response(status=403, text="Open the link that halubench review printed.")
        return None

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / _FILES[request.path])

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self._desk.state())

    async def _decide(self, request: web.Request) -> web.Response:
        try:
            told = await request.json()
            words = [str(told[name]) for name in ("id", "opinion")]
            more = [str(told.get(name, "")) for name in ("span", "note")]
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.json_response({"error": "That is no decision."}, status=400)
        self._desk.decide(words[0], words[1], *more)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return web.json_response(self._desk.state())

    async def _undo(self, _: web.Request) -> web.Response:
        self._desk.undo()
        return web.json_response(self._desk.state())
