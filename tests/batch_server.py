"""A Batch API on loopback that counts what it was paid for and can stop its client at any step."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web
from scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

LATE = "late"
"""What a line gets: text, an HTTP status, or LATE (not done when the batch ends)."""


class BatchServer(ScriptedServer):
    """``plan(batch number, line number, body)`` says what each line gets; ``ends(batch number)``
    how the batch ends. ``paid`` counts the answers given under each custom_id. ``step(number,
    done)`` is called before and after each request is handled."""

    def __init__(self) -> None:
        super().__init__(lambda seen: (_ for _ in ()).throw(AssertionError("no chat is asked")))
        self.plan = lambda batch, line, body: f"to {body['messages'][-1]['content']}"
        self.ends = lambda batch: "completed"
        self.step: Callable[[int, bool], object] = lambda number, done: None
        self.polls = 2
        self.paid: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}
        self.batches: list[dict[str, Any]] = []
        self.steps: list[str] = []

    def routes(self, router: web.UrlDispatcher) -> None:
        for method, path, handler in (
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}/content", self._content),
            ("POST", "/v1/batches", self._create),
            ("GET", "/v1/batches", self._list),
            ("GET", "/v1/batches/{id}", self._retrieve),
        ):
            router.add_route(method, path, self._stepped(handler))

    def _stepped(self, handler):
        async def stepped(request: web.Request) -> web.StreamResponse:
            number = len(self.steps)
            self.steps.append(f"{request.method} {request.path}")
            self.step(number, False)
            response = await handler(request)
            self.step(number, True)
            await asyncio.sleep(0.01)
            return response

        return stepped

    def _file(self, content: bytes) -> str:
        self.files[f"file-{len(self.files)}"] = content
        return f"file-{len(self.files) - 1}"

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        name = self._file(form["file"].file.read())  # type: ignore[union-attr]
        return web.json_response({"id": name, "object": "file"})

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        number = len(self.batches)
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        good, bad = self._run(number, lines)
        status = self.ends(number)
        batch = {
            **asked,
            "id": f"batch_{number}",
            "object": "batch",
            "created_at": int(time.time()),
            "status": status,
            "output_file_id": self._file(good) if good else None,
            "error_file_id": self._file(bad) if bad else None,
            "request_counts": {"total": len(lines), "completed": good.count(b"\n"), "failed": 0},
            "looks": 0,
        }
        if status not in ("completed", "expired", "cancelled"):
            error = {"code": status, "message": f"it is {status}"}
            batch |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
        self.batches.append(batch)
        return web.json_response({**batch, "status": "validating"})

    def _run(self, number: int, lines: list[dict[str, Any]]) -> tuple[bytes, bytes]:
        good, bad = b"", b""
        if self.ends(number) not in ("completed", "expired", "cancelled"):
            return good, bad
        for place, line in enumerate(lines):
            got = self.plan(number, place, line["body"])
            answer = {"id": f"r{place}", "custom_id": line["custom_id"], "error": None}
            if got == LATE:
                error = {"code": "batch_expired", "message": "not in time"}
                bad += json.dumps({**answer, "response": None, "error": error}).encode() + b"\n"
            elif isinstance(got, int):
                body = {"error": {"message": f"status {got}"}}
                response = {"status_code": got, "body": body}
                bad += json.dumps({**answer, "response": response}).encode() + b"\n"
            else:
                self.paid[line["custom_id"]] += 1
                choice = {"finish_reason": "stop", "message": {"content": got}}
                usage = {"prompt_tokens": 10, "completion_tokens": 5}
                response = {"status_code": 200, "body": {"choices": [choice], "usage": usage}}
                good += json.dumps({**answer, "response": response}).encode() + b"\n"
        return good, bad

    async def _list(self, request: web.Request) -> web.Response:
        data = [self._shown(batch) for batch in reversed(self.batches)]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def _retrieve(self, request: web.Request) -> web.Response:
        batch = self.batches[int(request.match_info["id"].partition("_")[2])]
        batch["looks"] += 1
        return web.json_response(self._shown(batch))

    def _shown(self, batch: dict[str, Any]) -> dict[str, Any]:
        return batch if batch["looks"] >= self.polls else {**batch, "status": "in_progress"}
