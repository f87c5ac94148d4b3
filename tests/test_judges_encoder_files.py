"""The files of ``judges/``: which one a model takes, and what is wrong with one that is wrong."""

import asyncio
import importlib.util

import pytest
import yaml

from halubench import content
from halubench.errors import InputError, MissingExtraError
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.judges.encoders import fitting, named
from halubench.judges.local import LocalJudge
from halubench.judges.overflow import LengthOptions
from halubench.models.base import EngineOptions
from halubench.records import ENDPOINT, Prediction, Row, Unscored
from halubench.results import JudgeInfo

SHIPPED = sorted(path.stem for path in content.files("judges", ".yaml"))
GOOD = {
    "name": "mine",
    "title": "t",
    "kind": "pair",
    "pass_labels": ["yes"],
    "fail_labels": ["no"],
    "premise": "{passage}",
    "hypothesis": "Q: {question} A: {answer}",
}


@pytest.fixture
def written(tmp_path):
    def write(name: str = "mine", **changes: object):
        (tmp_path / "judges").mkdir(exist_ok=True)
        text = yaml.safe_dump({**GOOD, **changes})
        (tmp_path / "judges" / f"{name}.yaml").write_text(text, encoding="utf-8")

    content.add_folder(tmp_path)
    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_is_whole_and_says_where_it_comes_from(name: str) -> None:
    encoder = named(name)
    assert encoder.source
    premise, hypothesis = encoder.texts(Row("r", "P {x}", "Q", "A {answer}", "s"))
    assert "P {x}" in premise
    assert "A {answer}" in hypothesis


@pytest.mark.parametrize(
    ("model", "labels", "tokens", "name"),
    [
        ("cross-encoder/nli-deberta-v3-base", ["contradiction", "entailment", "neutral"], False, "nli"),
        ("some/nli", ["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], False, "nli"),
        ("some/zeroshot", ["entailment", "not_entailment"], False, "nli-two-way"),
        ("lytang/MiniCheck-RoBERTa-Large", ["LABEL_0", "LABEL_1"], False, "minicheck"),
        ("ours/judge", ["PASS", "FAIL"], False, "verdict"),
        ("KRLabsOrg/lettucedect-base-modernbert-en-v1", ["x", "y"], True, "unsupported-tokens"),
    ],
)  # fmt: skip
def test_a_model_takes_the_file_that_lists_it_or_has_its_labels(
    model, labels, tokens, name
) -> None:
    assert fitting(model, labels, tokens).name == name


@pytest.mark.parametrize(
    ("labels", "tokens", "known"),
    [(["LABEL_0"], False, "consistency"), (["LABEL_0", "LABEL_1"], True, "unsupported-tokens")],
)
def test_numbered_labels_are_never_guessed(labels, tokens, known) -> None:
    with pytest.raises(InputError, match=rf"NAME@some/model.*{known}"):
        fitting("some/model", labels, tokens)


def test_a_users_file_comes_first_and_a_stranger_is_told_how(written) -> None:
    with pytest.raises(InputError, match=r"yes, no.*hf-classifier:NAME@some/model"):
        fitting("some/model", ["yes", "no"], False)
    written()
    assert fitting("some/model", ["No", "Yes"], False).name == "mine"
    assert named("mine").texts(Row("r", "P", "Q?", "A", "s")) == ("P", "Q: Q? A: A")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"premise": "{label}"}, r"mine\.yaml: premise.*no other field"),
        ({"hypothesis": "nothing"}, "hypothesis"),
        ({"pass_labels": []}, "pass_labels"),
        ({"threshold": 2}, "threshold"),
        ({"kind": "tokens"}, "hypothesis is"),
        ({"colour": "red"}, "colour"),
        ({"title": None}, "title"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(written, changes, message) -> None:
    written(**changes)
    with pytest.raises(InputError, match=message):
        named("mine")


def test_a_file_is_named_after_its_judge(written) -> None:
    written("other")
    with pytest.raises(InputError, match="holds the judge 'mine'"):
        named("other")


def test_the_missing_extra_is_one_sentence(monkeypatch, tmp_path) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "transformers" else found(name)
    )
    with pytest.raises(MissingExtraError, match=r"transformers.*pip install"):
        open_judge("hf-classifier:some/model", JudgeOptions(EngineOptions(), tmp_path))


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InputError, match="error, truncate, window"):
        LengthOptions("drop")


class _Scorer:
    """Says FAIL, or that nobody answered; counts what it is asked."""

    batch = 3

    def __init__(self, down: bool = False) -> None:
        self.asked: list[str] = []
        self.down = down

    def check(self, rows) -> None:
        pass

    def score(self, rows):
        self.asked += [row.id for row in rows]
        reason = Unscored(f"{ENDPOINT}down") if self.down else "FAIL"
        return [Prediction(row.id, "", reason, p_fail=None if self.down else 0.7) for row in rows]


def _judged(scorer, folder, rows):
    info = JudgeInfo(name="n", uri="u", kind="classifier", identity={"engine": "x"})

    async def run():
        return [said async for said in LocalJudge(info, scorer, folder).predict(rows)]

    return asyncio.run(run())


def test_a_row_is_scored_once_and_one_without_answer_again(tmp_path) -> None:
    rows = [Row(f"r{i}", f"p{i % 6}", "q", "a", "s") for i in range(8)]
    down, up = _Scorer(down=True), _Scorer()
    assert all(isinstance(said.verdict, Unscored) for said in _judged(down, tmp_path, rows))
    first = _judged(up, tmp_path, rows)
    assert up.asked == [row.id for row in rows[:6]]
    assert [(said.id, said.judge, said.p_fail) for said in first] == [
        (r.id, "u", 0.7) for r in rows
    ]
    assert _judged(up, tmp_path, rows) == first
    assert len(up.asked) == 6
