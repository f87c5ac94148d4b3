"""What is paid again and what is not: the journal's keys are whole requests, and nothing else."""

import json
from dataclasses import replace

import pytest
from generate_world import ask, source
from scripted_server import ScriptedServer
from strong_server import Strong

from halubench import content, sources
from halubench.errors import BudgetError
from halubench.generate import generate, plan
from halubench.perturb import prompted


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = source(tmp_path_factory.mktemp("all"), 70)
    items = sources.read(str(path), sources.SourceOptions()).items
    with ScriptedServer(Strong(items, slips=0.0, dissent=0.0)) as running:
        yield running


def asked(server, folder, count, **change):
    jury = (f"openai:one@{server.url}",)
    named = {"model": f"openai:pen@{server.url}", "jury": jury, **change}
    return ask(folder, source(folder, count), **named)


def calls(server, wanted):
    """The requests that a run sends."""
    before = len(server.seen)
    generate(wanted)
    return [json.dumps(seen.body, sort_keys=True) for seen in server.seen[before:]]


def questions(bodies):
    """The items that edits were asked for."""
    edits = [body for body in bodies if "Question: " in body and '"claims"' not in body]
    return {body.partition("Question: ")[2].partition("?")[0] for body in edits}


def test_more_items_cost_their_own_requests_and_a_second_run_none(server, tmp_path):
    first = calls(server, asked(server, tmp_path, 20))
    assert len(first) == len(set(first))
    assert calls(server, asked(server, tmp_path, 20)) == []
    grown = asked(server, tmp_path, 70)
    more = calls(server, grown)
    assert not set(first) & set(more)
    assert len(questions(first)) == 20
    assert len(questions(more)) == 50
    assert not questions(first) & questions(more)
    assert calls(server, grown) == []
    whole = calls(server, replace(grown, out=tmp_path / "whole"))
    assert sorted(whole) == sorted(first + more)


@pytest.mark.parametrize("change", ["system prompt", "schema", "passage"])
def test_a_change_of_what_is_asked_is_paid_for(server, tmp_path, monkeypatch, change):
    wanted = asked(server, tmp_path, 8, jury=())
    first = calls(server, wanted)
    if change == "system prompt":
        text = content.find("prompts/perturb/edit.jinja").read_text("utf-8")
        (tmp_path / "own" / "prompts" / "perturb").mkdir(parents=True)
        own = tmp_path / "own" / "prompts" / "perturb" / "edit.jinja"
        own.write_text(text.replace("You help", "You kindly help"), encoding="utf-8")
        monkeypatch.setattr(content, "LOCAL", tmp_path / "own")
    elif change == "schema":
        monkeypatch.setattr(prompted, "_ROOM", 17)
    else:
        path = tmp_path / "ferries.jsonl"
        path.write_text(
            path.read_text("utf-8").replace("crossings.", "crossings. It rained."), "utf-8"
        )
    second = calls(server, wanted)
    assert len(second) == len(first)
    assert not set(first) & set(second)


def test_a_changed_temperature_is_another_request(server, tmp_path):
    first = calls(server, asked(server, tmp_path, 8, jury=()))
    warmer = replace(asked(server, tmp_path, 8, jury=(), temperature=0.4), out=tmp_path / "warm")
    second = calls(server, warmer)
    assert {json.loads(body)["temperature"] for body in first} == {0.0}
    assert {json.loads(body)["temperature"] for body in second} == {0.4}


def test_a_changed_reader_of_answers_pays_for_nothing(server, tmp_path, monkeypatch):
    wanted = asked(server, tmp_path, 8, jury=())
    calls(server, wanted)
    read = prompted._own

    def reader(task, answer, *, read_by_jury=False, **options):
        made = read(task, answer, **options)
        return made if isinstance(made, str) else replace(made, change_made="read anew")

    monkeypatch.setattr(prompted, "_own", reader)
    assert calls(server, wanted) == []
    assert "read anew" in (wanted.out / "stages" / "6-choose.jsonl").read_text("utf-8")


def test_a_plan_after_a_pilot_is_near_what_the_whole_uses(server, tmp_path):
    pilot = asked(server, tmp_path, 60, accept=30)
    generate(pilot)
    whole = replace(pilot, accept=None)
    planned = plan(whole)
    assert all(line.measured for line in planned.lines)
    generate(whole)
    used = json.loads((whole.out / "manifest.json").read_text("utf-8"))["cost"]["stages"]
    for line in planned.lines:
        told = used[line.stage]
        assert line.tokens_in[1] == pytest.approx(told["prompt_tokens"], rel=0.15)
        assert line.tokens_out[1] == pytest.approx(told["completion_tokens"], rel=0.15)


def test_a_ceiling_is_kept_within_what_one_window_may_cost_and_the_run_goes_on(server, tmp_path):
    wanted = asked(server, tmp_path, 60, max_usd=0.02)
    with pytest.raises(BudgetError):
        generate(wanted)
    spent = json.loads((wanted.out / "spend.json").read_text("utf-8"))
    dearest = 4 * (6000 * 1.0 + 600 * 2.0) / 1e6  # A window of 4; prices of 1 and 2 dollars.
    assert 0.02 - dearest <= spent["cost_usd"] <= 0.02
    while True:
        try:
            generate(wanted)
            break
        except BudgetError:
            more = json.loads((wanted.out / "spend.json").read_text("utf-8"))
            assert more["calls"] > spent["calls"]
            spent = more
