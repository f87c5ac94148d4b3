"""Judges of other packages: what is read of their scores, and one sentence where they are missing.

The packages themselves run where they are installed (each has its own extra).
"""

import asyncio
import importlib.util
import json
import math
from types import SimpleNamespace

import openai
import pytest
from scripted_server import ScriptedServer, chat, error

from halubench.errors import InputError, MissingExtraError
from halubench.judges import deepeval, lettucedetect, minicheck, open_judge, ragas
from halubench.judges._package import RowScorer, endpoint
from halubench.judges.base import JudgeOptions
from halubench.judges.overflow import LengthOptions
from halubench.models.base import EngineOptions
from halubench.records import ENDPOINT, Prediction, Row, Unscored

ROWS = [Row(f"r{i}", f"Passage {i}.", "Who?", f"Answer {i}.", "s") for i in range(4)]


def _predict(uri: str, folder, rows=ROWS, overflow="error"):
    engine, length = EngineOptions(timeout_s=60, window=2), LengthOptions(overflow)
    judge = open_judge(uri, JudgeOptions(engine, folder, length=length))

    async def run():
        return [said async for said in judge.predict(rows)]

    return asyncio.run(run())


@pytest.mark.parametrize("uri", ["ragas:m", "deepeval:m", "lettucedetect:m", "minicheck:m"])
def test_a_missing_package_is_one_sentence_with_what_to_run(uri, monkeypatch, tmp_path) -> None:
    found = importlib.util.find_spec
    name = uri.partition(":")[0]
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == name else found(n))
    with pytest.raises(MissingExtraError, match=rf"{name}.*pip install"):
        open_judge(uri, JudgeOptions(EngineOptions(), tmp_path))


def test_another_package_called_minicheck_is_not_taken_for_it(monkeypatch, tmp_path) -> None:
    (tmp_path / "minicheck").mkdir()
    (tmp_path / "minicheck" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"github\.com/Liyan06"):
        open_judge("minicheck:roberta-large", JudgeOptions(EngineOptions(), tmp_path))


def test_minicheck_gives_the_support_of_the_best_part(monkeypatch, tmp_path) -> None:
    class Checker:
        def __init__(self, name: str) -> None:
            assert name == "roberta-large"

        def score(self, docs, claims):
            assert claims == ["Who? Answer 0.", "Who? Answer 1."]
            return [1, 0], [0.9, 0.2], [[docs[0]], ["Passage", "1."]], [[0.9], [0.2, 0.1]]

    there = SimpleNamespace(MiniCheck=Checker)
    monkeypatch.setattr(minicheck, "package", lambda name, remedy: there)
    said = _predict("minicheck:roberta-large", tmp_path, ROWS[:2])
    assert [each.verdict for each in said] == ["PASS", "FAIL"]
    assert [each.p_fail for each in said] == pytest.approx([0.1, 0.8])
    assert [each.overflow for each in said] == ["", "windowed"]


@pytest.mark.parametrize(
    ("faithful", "verdict", "p_fail"),
    [(1.0, "PASS", 0.0), (0.5, "PASS", 0.5), (0.25, "FAIL", 0.75), (math.nan, None, None)],
)
def test_ragas_fails_where_less_than_half_is_supported(faithful, verdict, p_fail) -> None:
    said = ragas.read(ROWS[0], SimpleNamespace(value=faithful))
    assert said.p_fail == p_fail
    assert said.verdict == (verdict or Unscored(ragas.NO_STATEMENT))


@pytest.mark.parametrize(
    ("words", "verdict", "p_fail"),
    [(["yes"], "PASS", 0.0), (["no"], "FAIL", 1.0), (["Yes", "no", "no"], "FAIL", 2 / 3)],
)
def test_deepeval_is_the_share_of_verdicts_that_disagree(words, verdict, p_fail) -> None:
    said = deepeval.read(ROWS[0], [SimpleNamespace(verdict=w, reason="because") for w in words])
    assert (said.verdict, said.p_fail) == (verdict, pytest.approx(p_fail))
    assert said.reasoning.splitlines() == ["because"] * len(words)


def test_an_answer_without_a_verdict_is_not_perfect() -> None:
    assert deepeval.read(ROWS[0], []).verdict == Unscored(deepeval.NO_VERDICT)
    assert deepeval.read(ROWS[0], [None]).verdict == Unscored(deepeval.NO_VERDICT)


def test_what_one_row_raises_is_its_own_reason() -> None:
    async def ask(row: Row) -> str:
        if row.id == "r1":
            raise ValueError("no\n JSON")
        if row.id == "r2":
            raise RuntimeError("gave up") from openai.OpenAIError("x")
        if row.id == "r3":
            await asyncio.sleep(5)
        return "PASS"

    scorer = RowScorer(
        lambda: ask, lambda row, said: Prediction(row.id, "", said), EngineOptions(0.2)
    )
    reasons = [getattr(each.verdict, "reason", each.verdict) for each in scorer.score(ROWS)]
    assert reasons == [
        "PASS",
        "ValueError: no JSON",
        "RuntimeError: gave up",
        f"{ENDPOINT}TimeoutError",
    ]


def test_an_endpoint_needs_a_model_and_a_key_or_an_address(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert endpoint("ragas", "m@http://h/v1") == ("m", "http://h/v1", "not-needed")
    for spec in ("m", "@http://h/v1"):
        with pytest.raises(InputError, match="ragas:MODEL@URL"):
            endpoint("ragas", spec)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    assert endpoint("ragas", "m") == ("m", None, "key")


def _as_ragas(seen):
    """Two statements an answer (none of answer 2); those of answer 1 are not supported."""
    asked = seen.prompt
    if "Break down each sentence" in asked:
        number = asked.rpartition("Answer ")[2][:1]
        said = [f"Answer {number}.", f"It is {number}."] * (number != "2")
        return chat(json.dumps({"statements": said}))
    verdict = int("It is 1." not in asked)
    judged = [{"statement": text, "reason": "so", "verdict": verdict} for text in ("a", "b")]
    return chat(json.dumps({"statements": judged}))


def test_ragas_runs_for_real(tmp_path) -> None:
    pytest.importorskip("ragas", reason="the extra ragas is not installed")
    with ScriptedServer(_as_ragas) as server:
        said = _predict(f"ragas:m@{server.url}", tmp_path)
        asked = len(server.seen)
        assert _predict(f"ragas:m@{server.url}", tmp_path) == said
        assert len(server.seen) == asked == 7
    assert [each.verdict for each in said] == ["PASS", "FAIL", Unscored(ragas.NO_STATEMENT), "PASS"]
    assert [each.p_fail for each in said] == [0.0, 1.0, None, 0.0]


def test_deepeval_runs_for_real(tmp_path) -> None:
    pytest.importorskip("deepeval", reason="the extra deepeval is not installed")

    def script(seen):
        word = "no" if "Answer 1." in seen.prompt else "yes"
        if "Answer 2." in seen.prompt:
            return chat('{"verdicts": []}')
        if "Answer 3." in seen.prompt:
            return error(500)
        return chat(json.dumps({"verdicts": [{"verdict": word, "reason": "so"}]}))

    with ScriptedServer(script) as server:
        said = _predict(f"deepeval:m@{server.url}", tmp_path)
    assert [each.verdict for each in said[:2]] == ["PASS", "FAIL"]
    assert said[2].verdict == Unscored(deepeval.NO_VERDICT)
    assert said[3].verdict.reason.startswith(ENDPOINT)
    assert said[1].reasoning == "so"


def test_lettucedetect_runs_for_real(tmp_path, monkeypatch) -> None:
    pytest.importorskip("lettucedetect", reason="the extra lettucedetect is not installed")
    from encoder_world import save
    from lettucedetect.detectors.transformer import TransformerDetector

    folder = save(tmp_path / "tiny", ["LABEL_0", "LABEL_1"], tokens=True, limit=512)
    long = Row("long", "Ada has 3 figs . " * 900, "how many figs ?", "3 figs", "s")
    rows = [Row("short", "Ada has 3 figs .", "how many figs ?", "3 figs", "s"), long]
    monkeypatch.setattr(lettucedetect, "MAX_LENGTH", 512)
    with pytest.raises(InputError, match=r"1 of 2 rows.*'long'"):
        _predict(f"lettucedetect:{folder}", tmp_path, rows)
    said = _predict(f"lettucedetect:{folder}", tmp_path, rows, "window")
    assert [each.overflow for each in said] == ["", "windowed"]
    assert all(0 <= each.p_fail <= 1 for each in said)
    detector = TransformerDetector(str(folder), max_length=512)
    tokens = detector.predict([rows[0].passage], rows[0].answer, rows[0].question)
    assert said[0].p_fail == pytest.approx(max(token["prob"] for token in tokens), abs=1e-5)
