"""Evaluation end to end: every row counted, every figure from the rows, killed runs resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import ScriptedServer, chat, error

from halubench.dataset import load
from halubench.errors import IncompleteError, OutputError
from halubench.evaluate import (
    EvaluateOptions,
    check_complete,
    evaluate,
    prepare,
    slug,
    unanswered,
)
from halubench.models.base import EngineOptions
from halubench.results import Results

ENGINE = EngineOptions(timeout_s=120, window=4)
JUDGED = Path(__file__).parents[2] / "shared/data/judges_dev/judge_halueval_2judges.jsonl.gz"


def _data(folder: Path, passages: int = 10) -> Path:
    rows = []
    for number in range(passages):
        source = ("finance", "medical")[number % 2]
        passage = f"Passage {number}. " + " ".join(f"w{number}x{i}" for i in range(8))
        for label in ("PASS", "FAIL"):
            answer = f"Answer {label == 'PASS'} to {number}."
            rows.append(
                {
                    "id": f"{number}-{len(rows)}",
                    "passage": passage,
                    "question": "Who?",
                    "answer": answer,
                    "label": label,
                    "source_ds": source,
                }
            )
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _script(seen):
    """Right on True answers, says PASS to every other FAIL, unreadable on passage 5."""
    if "Passage 5." in seen.prompt:
        return chat("I cannot say.")
    number = int(seen.prompt.partition("Passage ")[2].partition(".")[0])
    right = "PASS" if "Answer True" in seen.prompt else "FAIL"
    return chat(json.dumps({"REASONING": [], "SCORE": "PASS" if number % 4 == 0 else right}))


def _options(tmp_path: Path, **more) -> EvaluateOptions:
    return EvaluateOptions(tmp_path / "out", ENGINE, retries=1, **more)


def test_results_and_predictions_are_of_every_row(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    with ScriptedServer(_script) as server:
        uri = f"openai:any@{server.url}"
        (results,) = evaluate(uri, data, _options(tmp_path))
    folder = tmp_path / "out" / slug(uri)
    assert Results.model_validate_json((folder / "results.json").read_text()) == results
    table = pq.read_table(folder / "predictions.parquet").to_pylist()
    assert [row["id"] for row in table] == [example.id for example in data.examples]
    right = [row["verdict"] == row["label"] for row in table]
    assert results.overall.accuracy.value == sum(right) / 20
    assert results.overall.unscored == 2 == sum(results.unscored_reasons.values())
    scored = [row for row in table if row["verdict"]]
    assert results.overall.accuracy_scored.value == sum(right) / len(scored)
    reasons = Counter(row["unscored_reason"] for row in table if not row["verdict"])
    assert dict(reasons) == results.unscored_reasons
    per_source = [results.sources[name].accuracy.value for name in ("finance", "medical")]
    assert results.macro_accuracy.value == pytest.approx(sum(per_source) / 2)
    assert results.usage.prompt_tokens == 200
    assert results.data.sha256 == data.sha256
    assert set(results.baselines) == {"baseline:majority", "baseline:length"}
    check_complete([results])


def test_a_row_without_an_answer_is_written_said_and_asked_again(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    broken = True

    def script(seen):
        return error(500) if broken and "Passage 3." in seen.prompt else _script(seen)

    with ScriptedServer(script) as server:
        uri = f"openai:any@{server.url}"
        first = evaluate(uri, data, _options(tmp_path))
        assert unanswered(first[0]) == 2
        assert first[0].overall.n == 20
        with pytest.raises(IncompleteError, match="2 of 20 rows got no answer"):
            check_complete(first)
        broken, asked = False, len(server.seen)
        second = evaluate(uri, data, _options(tmp_path))
        assert len(server.seen) - asked == 2
    check_complete(second)
    assert second[0].overall.accuracy.value > first[0].overall.accuracy.value


def test_the_same_run_again_asks_nothing_and_writes_the_same_bytes(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    with ScriptedServer(_script) as server:
        uri = f"openai:any@{server.url}"
        written = []
        for _ in range(2):
            evaluate(uri, data, _options(tmp_path))
            folder = tmp_path / "out" / slug(uri)
            written.append(
                [(folder / name).read_bytes() for name in ("results.json", "predictions.parquet")]
            )
        assert len(server.seen) == 20
    assert written[0] == written[1]


def test_killed_in_the_middle_it_pays_only_for_what_was_in_flight(tmp_path) -> None:
    path, window = _data(tmp_path, 30), 4

    def script(seen):
        reply = _script(seen)
        return chat(json.loads(reply.body)["choices"][0]["message"]["content"], delay_s=0.05)

    with ScriptedServer(script) as server:
        uri = f"openai:any@{server.url}"
        command = [sys.executable, "-c", "from halubench.cli import main; main()", "evaluate"]
        command += ["--model", uri, "--data", str(path), "--out", str(tmp_path / "out")]
        command += ["--window", str(window)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while len(server.answered) < 20:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        before = Counter(server.prompts())
        assert len(before) < 60
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        twice = [prompt for prompt, count in Counter(server.prompts()).items() if count > 1]
    assert len(twice) <= window
    results = json.loads((tmp_path / "out" / slug(uri) / "results.json").read_text())
    assert results["overall"]["n"] == 60
    assert set(results["unscored_reasons"]) == {"no SCORE in the answer"}


def test_several_judges_and_a_baseline_agree_with_the_baselines_beside(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    uris = ["baseline:length", "baseline:majority", "baseline:overlap"]
    results = evaluate(uris, data, _options(tmp_path))
    assert [each.judge.name for each in results] == uris
    for each in results[:2]:
        assert each.overall == each.baselines[each.judge.name]
    assert all(each.data == results[0].data for each in results)


def test_predictions_of_ours_can_be_read_back_as_recorded_verdicts(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    (first,) = evaluate("baseline:length", data, _options(tmp_path))
    path = tmp_path / "out" / "baseline-length" / "predictions.parquet"
    (again,) = evaluate(f"recorded:{path}", data, _options(tmp_path))
    assert again.overall == first.overall
    assert again.judge.kind == "recorded"


@settings(max_examples=8)
@given(st.integers(1, 19), st.integers(0, 3))
def test_a_limit_takes_whole_passages_by_seed_and_says_so(tmp_path_factory, limit, seed) -> None:
    folder = tmp_path_factory.mktemp("limit")
    data = load(str(_data(folder)))
    bench = prepare(data, EvaluateOptions(folder, seed=seed, limit=limit))
    kept = [example.id for example in bench.data.examples]
    assert len(kept) == limit
    assert kept == [example.id for example in data.examples if example.id in set(kept)]
    cut = [count for count in Counter(bench.groups).values() if count == 1]
    assert len(cut) == limit % 2
    assert f"{limit} of 20 rows" in bench.warnings[0]
    again = prepare(data, EvaluateOptions(folder, seed=seed, limit=limit))
    assert again.data.sha256 == bench.data.sha256


def test_a_limit_beyond_the_data_judges_all_without_a_warning(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    bench = prepare(data, _options(tmp_path, limit=500))
    assert bench.data == data
    assert bench.warnings == ()


def test_a_folder_of_another_dataset_is_not_written_over(tmp_path) -> None:
    data = load(str(_data(tmp_path)))
    evaluate("baseline:majority", data, _options(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(OutputError, match="another run: data was"):
        evaluate("baseline:majority", load(str(_data(other))), _options(tmp_path))


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("openai:gpt-4o", "openai-gpt-4o"),
        ("openai:a/b@http://127.0.0.1:8000/v1", "openai-a-b-http-127.0.0.1-8000-v1"),
        ("recorded:../shared/x.jsonl#gpt4o", "recorded-..-shared-x.jsonl-gpt4o"),
        ("openai:../nowhere/at-all", "openai-..-nowhere-at-all"),
    ],
)
def test_a_judge_s_folder_is_one_safe_name(uri: str, name: str) -> None:
    assert slug(uri) == name


def test_a_local_path_gives_its_last_part_and_a_long_uri_is_cut(tmp_path) -> None:
    path = tmp_path / "v.jsonl"
    path.touch()
    assert slug(f"recorded:{path}#gpt4o") == "recorded-v.jsonl-gpt4o"
    one, other = (slug(f"openai:{'x' * 200}{end}") for end in "ab")
    assert one != other
    assert len(one) < 110


@pytest.mark.shared
def test_recorded_verdicts_of_two_real_judges(tmp_path) -> None:
    """2,788 rows: GPT-4o 88.95 %, Llama-3.1-8B 80.81 % (81.04 % of the scored, 8 unreadable)."""
    results = evaluate(f"recorded:{JUDGED}", load(str(JUDGED)), _options(tmp_path))
    gpt4o, llama = (each.overall for each in results)
    assert [each.judge.name for each in results] == ["gpt4o", "llama"]
    assert (gpt4o.n, gpt4o.unscored, llama.n, llama.unscored) == (2788, 0, 2788, 8)
    assert gpt4o.accuracy.value == pytest.approx(0.8895, abs=5e-5)
    assert llama.accuracy.value == pytest.approx(0.8081, abs=5e-5)
    assert llama.accuracy_scored.value == pytest.approx(0.8104, abs=5e-5)


@pytest.mark.llm
def test_the_embedded_model_judges_and_says_that_it_is_at_chance(tmp_path) -> None:
    data = load(str(_data(tmp_path, 1)))
    (results,) = evaluate("embedded:smollm2", data, _options(tmp_path, limit=1))
    assert results.overall.n == 1
    assert "at chance" in results.judge.note
    assert unanswered(results) == 0
