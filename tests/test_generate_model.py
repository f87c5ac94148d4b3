"""generate with a model and a jury: budget, resumption, independence, honest counts."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256

import pytest
from generate_world import ask, judge, propose, row, source
from scripted_server import ScriptedServer, chat, error

from halubench import dataset
from halubench.errors import BudgetError, EngineError, InputError
from halubench.generate import generate, plan

RUN = "from halubench.cli import main; main()"


def hashes(out):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in out.glob("data/*.parquet")}


def manifest(out):
    return json.loads((out / "manifest.json").read_text("utf-8"))


def asked(server, **change):
    return {"model": f"openai:pen@{server.url}", **change}


def test_a_model_proposes_and_code_applies(tmp_path):
    with ScriptedServer(propose) as server:
        outcome = generate(ask(tmp_path, source(tmp_path, 30), **asked(server, accept=8)))
    data = dataset.load(str(tmp_path / "out"))
    assert outcome.pairs == 8
    assert {one.generator for one in data.provenance.values()} == {f"openai:pen@{server.url}"}
    found = manifest(tmp_path / "out")
    assert found["cost"]["calls"] == len(server.seen)
    assert found["prompt"]["name"] == "edit"
    assert found["stages"][-1]["kept"] == 8
    assert outcome.ledger.rows() == 30 == 8 + len(outcome.ledger.rejected)


def test_kinds_that_only_a_reader_can_check_are_made_only_where_a_jury_reads(tmp_path):
    titles = {"Detail added", "Correlation told as cause"}
    with ScriptedServer(propose) as server:
        outcome = generate(ask(tmp_path, source(tmp_path, 60), **asked(server)))
        seen = {title for title in titles for prompt in server.prompts() if title in prompt}
        alone = plan(ask(tmp_path, source(tmp_path, 60), **asked(server)))
        read = plan(ask(tmp_path, source(tmp_path, 60), **asked(server, jury=("openai:b",))))
    assert not seen
    assert any("only a jury can check" in one and "added-detail" in one for one in outcome.warnings)
    assert "added-detail" not in alone.types
    assert "added-detail" in read.types


def test_no_more_is_asked_than_pairs_are_wanted(tmp_path):
    with ScriptedServer(propose) as server:
        generate(ask(tmp_path, source(tmp_path, 40), **asked(server, accept=5)))
        first = len(server.seen)
        assert first <= 10
        generate(ask(tmp_path, tmp_path / "ferries.jsonl", **asked(server, accept=6)))
        assert len(server.seen) <= first + 4


def test_answers_that_cannot_serve_are_asked_again_then_counted(tmp_path):
    with ScriptedServer(lambda seen: chat("I would rather not.")) as server:
        wanted = ask(tmp_path, source(tmp_path, 4), **asked(server, accept=2))
        with pytest.raises(InputError, match="not JSON"):
            generate(wanted)
    assert len(server.seen) == 4 * 3
    rejected = (tmp_path / "out" / "rejected.jsonl").read_text("utf-8")
    assert rejected.count("model: answer is not JSON") == 4


def test_the_ceiling_on_candidates_holds(tmp_path):
    with ScriptedServer(propose) as server:
        wanted = asked(server, accept=9, max_candidates=3)
        outcome = generate(ask(tmp_path, source(tmp_path, 20), **wanted))
    assert len(server.seen) == 3
    assert outcome.pairs <= 3
    assert any("ceiling on candidates" in one for one in outcome.warnings)


def test_requests_without_an_answer_make_the_run_incomplete(tmp_path):
    def script(seen):
        return error(400, "too long") if "Ardmoor" in seen.prompt else propose(seen)

    with ScriptedServer(script) as server:
        outcome = generate(ask(tmp_path, source(tmp_path, 12), **asked(server, retries=0)))
    assert "got no answer" in outcome.incomplete
    assert 0 < outcome.pairs < 12


def test_a_refusing_endpoint_ends_the_run_with_one_sentence(tmp_path):
    with ScriptedServer(lambda seen: error(401, "bad key")) as server, pytest.raises(EngineError):
        generate(ask(tmp_path, source(tmp_path, 4), **asked(server)))


def test_the_budget_stops_the_run_and_the_next_goes_on_from_there(tmp_path):
    path = source(tmp_path, 30)
    with ScriptedServer(propose) as server:
        whole = asked(server, accept=10)
        generate(replace(ask(tmp_path, path, **whole), out=tmp_path / "whole"))
        calls = len(server.seen)
        with pytest.raises(BudgetError):
            generate(ask(tmp_path, path, **whole, max_usd=0.004))
        stopped = len(server.seen) - calls
        assert 0 < stopped < calls
        assert not (tmp_path / "out" / "data").exists()
        generate(ask(tmp_path, path, **whole))
        assert len(server.seen) == 2 * calls
    assert hashes(tmp_path / "out") == hashes(tmp_path / "whole")


def test_killed_and_run_again_it_asks_only_what_was_in_flight(tmp_path):
    path = source(tmp_path, 30)
    options = ["--accept", "12", "--window", "4", "--price-in", "1", "--price-out", "2"]
    killed = threading.Event()

    def held(seen):  # After five answers, until the kill: it comes before the end on any machine.
        return propose(seen, delay_s=0.05 if seen.number < 5 or killed.is_set() else 3)

    with ScriptedServer(held) as server:
        out = tmp_path / "out"
        command = [sys.executable, "-c", RUN, "generate", str(path), "--out", str(out), *options]
        command += ["--model", f"openai:pen@{server.url}"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
            while len(server.answered) < 5 and running.poll() is None:
                time.sleep(0.01)
            running.kill()
        killed.set()
        let_go = time.monotonic() + 3
        first = [json.dumps(seen.body, sort_keys=True) for seen in server.seen]
        assert 5 <= len(first) < 12
        subprocess.run(command, check=True, capture_output=True)
        later = [json.dumps(seen.body, sort_keys=True) for seen in server.seen][len(first) :]
        assert len(set(first) & set(later)) <= 4
        assert len(later) == len(set(later))
        wanted = ask(tmp_path, path, **asked(server, accept=12))
        generate(replace(wanted, out=tmp_path / "whole"))
        time.sleep(
            max(0.0, let_go - time.monotonic())
        )  # The server ends with nothing in its hands.
    assert hashes(out) == hashes(tmp_path / "whole")


def test_the_jury_drops_what_it_disputes_and_its_votes_are_kept(tmp_path):
    def contrary(seen):
        if "Belford" in seen.prompt:
            return chat('{"claims": [], "SCORE": "FAIL"}')
        return chat("no idea") if "Calne" in seen.prompt else judge(seen)

    with ScriptedServer(contrary) as server, ScriptedServer(judge) as second:
        jury = (f"openai:a@{server.url}", f"openai:b@{second.url}")
        outcome = generate(ask(tmp_path, source(tmp_path, 24), jury=jury))
    data = dataset.load(str(tmp_path / "out"))
    found = manifest(tmp_path / "out")
    assert not any(town in one.passage for one in data.examples for town in ("Belford", "Calne"))
    for one in data.provenance.values():
        assert set(json.loads(one.votes)) - {"code"} == set(jury)
    verdicts = found["jury"]["verdicts"]
    assert verdicts["jury: PASS answer found hallucinated"] > 0
    assert verdicts["jury: a vote could not be read"] > 0
    assert sum(verdicts.values()) == found["jury"]["pairs"]
    assert -1 <= found["jury"]["fleiss_kappa"] <= 1
    assert found["cost"]["calls"] == len(server.seen) + len(second.seen)
    assert outcome.ledger.rows() == 24 == outcome.pairs + len(outcome.ledger.rejected)


def test_generator_and_jury_spend_from_one_purse(tmp_path):
    path = source(tmp_path, 30)
    with ScriptedServer(propose) as server, ScriptedServer(judge) as second:
        wanted = asked(server, accept=10, jury=(f"openai:b@{second.url}",), max_usd=0.004)
        with pytest.raises(BudgetError):
            generate(ask(tmp_path, path, **wanted))
        assert server.seen


def test_no_juror_may_be_the_generator(tmp_path):
    with ScriptedServer(propose) as server:
        with pytest.raises(InputError, match="independent"):
            generate(ask(tmp_path, source(tmp_path, 4), **asked(server, jury=("openai:pen",))))
        assert not server.seen


def test_a_plan_asks_nobody_and_prices_every_stage(tmp_path):
    with ScriptedServer(propose) as server:
        wanted = asked(server, accept=5, jury=(f"openai:b@{server.url}",))
        planned = plan(ask(tmp_path, source(tmp_path, 20), **wanted))
        assert not server.seen
    assert [line.stage for line in planned.lines] == ["perturb", "jury"]
    low, expected, high = planned.usd()
    assert 0 < low < expected < high
    assert not (tmp_path / "out").exists()


def test_a_plan_without_prices_says_so(tmp_path):
    wanted = ask(tmp_path, source(tmp_path, 9), model="openai:pen@http://127.0.0.1:9/v1")
    unpriced = replace(wanted, engine=replace(wanted.engine, price_in=None, price_out=None))
    assert plan(unpriced).usd() is None


@pytest.mark.llm
def test_the_embedded_model_makes_a_pair(tmp_path):
    wanted = ask(tmp_path, source(tmp_path, 3), model="embedded:smollm2", accept=1)
    outcome = generate(wanted)
    assert outcome.pairs == 1
    assert any("proves that everything runs" in one for one in outcome.warnings)
    assert row(0)["source_ds"] == dataset.load(str(wanted.out)).examples[0].source_ds
