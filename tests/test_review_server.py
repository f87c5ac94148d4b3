"""Who may see the page, and what it is told: this machine, the link, once; never a label."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from review_world import sheet

from halubench.review import Ledger
from halubench.review.desk import Desk
from halubench.review.server import ReviewServer

Use = Callable[[aiohttp.ClientSession, str], Awaitable[Any]]


def serve(folder: Path, use: Use) -> Any:
    """Run ``use`` with a client and the link of a server on a small sample."""

    async def run() -> Any:
        drawn = sheet(folder)
        ledger = Ledger(drawn.folder, "ana")
        server = ReviewServer(Desk(drawn, ledger))
        link = await server.start()
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
                return await use(client, link)
        finally:
            await server.stop()
            ledger.close()

    return asyncio.run(run())


def test_a_row_is_shown_without_label_pair_or_provenance(tmp_path: Path) -> None:
    async def use(client, link):
        await client.get(link)
        async with client.get(link.partition("?")[0] + "state") as reply:
            return await reply.json()

    state = serve(tmp_path, use)
    assert set(state["row"]) == {"id", "passage", "question", "answer"}
    assert (state["done"], state["total"]) == (0, 8)
    assert not {"PASS", "FAIL", "number", "name"} & set(json.dumps(state).split('"'))


def test_the_link_works_once(tmp_path: Path) -> None:
    async def use(client, link):
        async with client.get(link) as reply:
            first = reply.status
        async with aiohttp.ClientSession() as other, other.get(link) as reply:
            return first, reply.status

    assert serve(tmp_path, use) == (200, 403)


@pytest.mark.parametrize("path", ["", "state", "script.js", "style.css"])
def test_nothing_is_shown_without_the_link(tmp_path: Path, path: str) -> None:
    async def use(client, link):
        async with client.get(link.partition("?")[0] + path) as reply:
            return reply.status

    assert serve(tmp_path, use) == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_other_hosts_and_origins_are_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async def use(client, link):
        await client.get(link)
        base = link.partition("?")[0]
        async with client.post(base + "undo", json={}, headers=headers) as reply:
            return reply.status

    assert serve(tmp_path, use) == status


def test_decisions_are_kept_and_taken_back(tmp_path: Path) -> None:
    async def use(client, link):
        await client.get(link)
        base = link.partition("?")[0]
        async with client.get(base + "state") as reply:
            first = (await reply.json())["row"]["id"]
        told = {"id": first, "opinion": "FAIL", "span": "48", "note": "it is 52"}
        async with client.post(base + "decide", json=told) as reply:
            after = await reply.json()
        kept = (tmp_path / "review" / "ana.jsonl").read_text()
        async with client.post(base + "undo", json={}) as reply:
            back = await reply.json()
        return first, after, kept, back

    first, after, kept, back = serve(tmp_path, use)
    assert after["done"] == 1
    assert after["row"]["id"] != first
    line = json.loads(kept)
    assert (line["id"], line["opinion"], line["span"], line["note"]) == (
        first,
        "FAIL",
        "48",
        "it is 52",
    )
    assert back["done"] == 0
    assert back["row"]["id"] == first


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id": "no", "opinion": "PASS"}', b'{"id": 1, "opinion": []}']
)
def test_what_is_no_decision_is_refused_and_not_kept(tmp_path: Path, body: bytes) -> None:
    async def use(client, link):
        await client.get(link)
        base = link.partition("?")[0]
        async with client.post(base + "decide", data=body) as reply:
            return reply.status, (await reply.json())["error"]

    status, said = serve(tmp_path, use)
    assert status == 400
    assert said
    assert (tmp_path / "review" / "ana.jsonl").read_bytes() == b""


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    async def use(client, link):
        async with client.get(link) as reply:
            return reply.headers["Content-Security-Policy"], await reply.text()

    policy, text = serve(tmp_path, use)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in text.replace("http-equiv", "")
