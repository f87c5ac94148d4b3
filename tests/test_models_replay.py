"""Replay: a recorded run gives the same answers again, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import ScriptedServer, chat

from halubench.errors import EngineError, InputError
from halubench.models import open_model
from halubench.models.base import EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

DEFAULT = Limits()
REQUESTS = [(i, Request((("user", f"row {i}"),))) for i in range(20)]


def run(uri, folder, requests=REQUESTS, limits=DEFAULT):
    folder.mkdir(exist_ok=True)
    journal = Journal(folder / "journal.sqlite")

    async def main():
        model = open_model(uri, EngineOptions())
        try:
            return [pair async for pair in complete_all(model, requests, journal, limits)]
        finally:
            await model.aclose()

    try:
        return asyncio.run(main())
    finally:
        journal.close()


@pytest.fixture
def server():
    with ScriptedServer(lambda seen: chat(f"to {seen.prompt}")) as server:
        yield server


def texts(pairs):
    return [(key, answer.text) for key, answer in pairs]


def test_a_caveat_on_the_model_survives_its_replay(tmp_path, server):
    run(f"openai:smollm2@{server.url}", tmp_path / "first", REQUESTS[:1])
    model = open_model(f"replay:{tmp_path}/first/journal.sqlite", EngineOptions())
    assert "at chance" in " ".join(model.notes)
    asyncio.run(model.aclose())


def test_a_replay_gives_the_recorded_answers_free_of_charge(tmp_path, server):
    first = run(f"openai:m@{server.url}", tmp_path / "first")
    uri = f"replay:{tmp_path}/first/journal.sqlite"
    again = run(uri, tmp_path / "again", limits=Limits(max_usd=0.0))
    assert len(server.seen) == 20
    assert texts(again) == texts(first)
    assert {answer.cost_usd for _, answer in again} == {0.0}
    third = run(f"replay:{tmp_path}/again/journal.sqlite", tmp_path / "third")
    assert texts(third) == texts(first)


def test_what_was_not_recorded_ends_the_job(tmp_path, server):
    run(f"openai:m@{server.url}", tmp_path / "first", REQUESTS[:5])
    with pytest.raises(EngineError, match=r"nothing recorded.*'row 5'"):
        run(f"replay:{tmp_path}/first/journal.sqlite", tmp_path / "again")


def test_of_two_engines_one_must_be_named(tmp_path, server):
    for name in ("m", "n"):
        run(f"openai:{name}@{server.url}", tmp_path / "both", REQUESTS[:2])
    uri = f"replay:{tmp_path}/both/journal.sqlite"
    with pytest.raises(InputError, match="answers of 2 engines") as caught:
        open_model(uri, EngineOptions())
    journal = Journal(tmp_path / "both" / "journal.sqlite", read_only=True)
    names = list(journal.identities())
    journal.close()
    assert all(name in str(caught.value) for name in names)
    model = open_model(f"{uri}#{names[1][:8]}", EngineOptions())
    assert model.identity()["model"] in {"m", "n"}
    asyncio.run(model.aclose())
    with pytest.raises(InputError, match="0 of them are meant"):
        open_model(f"{uri}#zz", EngineOptions())
