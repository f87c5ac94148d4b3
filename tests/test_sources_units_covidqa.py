"""Windows cut from long articles, for arbitrary texts and limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from halubench.reading import Record
from halubench.records import Item, Rejected
from halubench.sources import SourceOptions, covidqa
from halubench.text import passage_key

WORDS = st.sampled_from(("Alpha", "beta", "gamma.", "Delta!", "x", "\n\n", "\n", "  ", "é", "(Eta"))
ARTICLES = st.lists(WORDS, min_size=1, max_size=120).map(" ".join)


def ask(context: str, *answers: dict[str, object], limit: int = 8000) -> Item | Rejected:
    asked = {"id": 7, "question": "Which?", "answers": list(answers)}
    fields = {"paragraphs": [{"context": context, "qas": [asked]}]}
    record = Record(Path("own.json"), 1, fields)
    (found,) = covidqa.items([record], SourceOptions(max_passage_chars=limit))
    return found


@given(ARTICLES, st.data())
def test_the_support_lies_in_the_window_at_its_offsets(article: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(article) - 1))
    end = data.draw(st.integers(start + 1, min(len(article), start + 40)))
    answer = article[start:end].strip()
    assume(answer)
    limit = data.draw(st.integers(len(answer), len(article) + 10))
    item = ask(article, {"text": answer, "answer_start": start}, limit=limit)
    assert isinstance(item, Item)
    support, window = item.meta["support"], item.meta["window"]
    assert isinstance(support, list)
    assert isinstance(window, list)
    low, high = window
    assert item.passage == article[low:high]
    assert len(item.passage) <= limit
    assert item.passage[support[0] : support[1]] == answer
    assert item.meta["article_key"] == passage_key(article)


@given(st.text(min_size=1), st.data())
def test_any_text_can_be_cut(article: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(article) - 1))
    end = data.draw(st.integers(start, len(article)))
    limit = data.draw(st.integers(max(1, end - start), 2 * len(article)))
    low, high = covidqa._Article(article).window(start, end, limit)
    assert 0 <= low <= start <= end <= high <= len(article)
    assert high - low <= limit
    assert (low, high) == (0, len(article)) or len(article) > limit


@given(st.text(st.sampled_from("ab "), min_size=1, max_size=40), st.integers(-5, 60))
def test_find_takes_the_nearest_occurrence(text: str, near: int) -> None:
    found = covidqa._Article(text).find("a", near)
    all_of_them = [offset for offset, letter in enumerate(text) if letter == "a"]
    if not all_of_them:
        assert found == -1
    else:
        assert abs(found - near) == min(abs(offset - near) for offset in all_of_them)
        assert text[found] == "a"


@pytest.mark.parametrize("answer", ["a.b", "(x", "[1-9]", "a+b*", "\\d", "^$"])
def test_find_takes_an_answer_as_text_not_as_a_pattern(answer: str) -> None:
    assert covidqa._Article(f"11 aXb {answer} end").find(answer, 0) == 7


INNER = "Bb bbbbbbb. Key fact. Cc cccc ccc."


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        (f"{'a' * 30}.\n\n{INNER}\n\n{'d' * 30}", INNER),
        (f"{'a' * 30}. {INNER} {'D' * 30}", INNER),
        (f"{'a' * 30}, {INNER.lower()} {'d' * 30}", INNER.lower()),
        (f"{'a' * 30}Key_fact.{'d' * 30}", f"{'a' * 15}Key_fact.{'d' * 16}"),
    ],
    ids=["paragraph", "sentence", "word", "anywhere"],
)
def test_cuts_fall_at_the_best_border_there_is(article: str, expected: str) -> None:
    start = article.lower().index("key")
    answer = article[start : start + len("Key fact.")]
    item = ask(article, {"text": answer, "answer_start": start}, limit=40)
    assert isinstance(item, Item)
    assert item.passage == expected


@pytest.mark.parametrize(
    ("answers", "limit", "reason"),
    [
        ([], 99, "no answer"),
        ([{"text": " "}], 99, "no answer"),
        ([{"text": None}], 99, "no answer"),
        ([{"text": "absent"}], 99, "not in the article"),
        ([{"text": "alpha beta"}], 9, "longer than 9 characters"),
    ],
)
def test_what_cannot_be_asked_is_rejected_with_the_reason(answers, limit, reason) -> None:
    found = ask("One alpha beta gamma.", *answers, limit=limit)
    assert isinstance(found, Rejected)
    assert (found.id, found.stage) == ("7", "ingest")
    assert reason in found.reason


def test_further_golds_are_aliases_and_empty_ones_are_left_out() -> None:
    golds = [{"text": " "}, {"text": " beta ", "answer_start": 6}, {"text": "alpha beta"}]
    item = ask("\n  Title here \nalpha beta gamma.", *golds)
    assert isinstance(item, Item)
    assert (item.answer, item.aliases) == ("beta", ("beta", "alpha beta"))
    assert item.meta["title"] == "Title here"


def test_every_question_of_every_paragraph_comes_in_order() -> None:
    def asked(own: str) -> dict[str, object]:
        return {"id": own, "question": "Which?", "answers": [{"text": "alpha"}]}

    first = {"context": "One alpha.", "qas": [asked("1"), asked("2")]}
    record = Record(
        Path("own.json"), 1, {"paragraphs": [first, {"context": "alpha", "qas": [asked("3")]}]}
    )
    found = list(covidqa.items([record, record], SourceOptions()))
    assert [one.id for one in found] == ["1", "2", "3"] * 2


@pytest.mark.parametrize(
    "paragraphs", [None, [], {}, "text", [3], [{"context": "c"}], [{"qas": []}]], ids=repr
)
def test_what_is_no_article_does_not_match(paragraphs: object) -> None:
    assert not covidqa.matches({"paragraphs": paragraphs})
    assert covidqa.matches({"paragraphs": [{"context": "c", "qas": []}, 3]})
