"""Each upstream format, in miniature files written here, becomes the items that it means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.sources import SourceOptions, SourceRead, read
from halubench.sources.base import join, kind_of
from halubench.text import passage_key

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.records import Item


def read_json(folder: Path, document: object, name: str = "mini.json", **options) -> SourceRead:
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return read(str(folder / name), SourceOptions(**options))


def drop_row(passage: str, question: str, *answers: str) -> dict[str, str]:
    context = f"Passage: {passage}\nQuestion: {question}\nAnswer:"
    return {"context": context, "completion": f" {answers[0]}", "ref_text": "|".join(answers)}


HARBOUR = (
    "In 1921 the harbour held 40 boats.\nQuestion: marks remain. Anna and Ole sold 12 in May 1922."
)


def test_drop_prompt_is_taken_apart(tmp_path: Path) -> None:
    rows = [drop_row(HARBOUR, "How many boats were left?", "28", "28 boats")]
    source = read_json(tmp_path, rows)
    item = source.items[0]
    assert (source.name, source.domain, source.license) == ("DROP", "general", "CC-BY-SA-4.0")
    assert (item.passage, item.question) == (HARBOUR, "How many boats were left?")
    assert (item.answer, item.aliases) == ("28", ("28", "28 boats"))
    assert item.meta == {"answer_type": "number", "license": "CC-BY-SA-4.0"}


def test_drop_repeated_question_adds_its_answers_and_is_counted(tmp_path: Path) -> None:
    rows = [
        drop_row(HARBOUR, "How many?", "28"),
        drop_row(HARBOUR, "Who sold?", "Anna and Ole"),
        drop_row(HARBOUR, "How many?", "28 boats", "28"),
    ]
    source = read_json(tmp_path, rows)
    assert (source.rows, len(source.items), len(source.rejected)) == (3, 2, 1)
    assert source.items[0].aliases == ("28", "28 boats")
    assert source.rejected[0].reason == "the same question came before"
    assert source.rejected[0].id == source.items[0].id


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("How many?", "1,250", "number"),
        ("How many?", "1921", "number"),
        ("In what year did it begin?", "1921", "date"),
        ("When?", "May 1922", "date"),
        ("When?", "3 May 1922", "date"),
        ("Who?", "Anna", "span"),
        ("Who?", "Ole and Anna", "spans"),
        ("Who?", "Anna and Ole", "span"),
        ("What share?", "12%", "percent"),
    ],
)
def test_drop_answer_type(tmp_path: Path, question: str, answer: str, kind: str) -> None:
    item = read_json(tmp_path, [drop_row(HARBOUR, question, answer)]).items[0]
    assert item.meta["answer_type"] == kind


def test_drop_id_depends_on_content_only(tmp_path: Path) -> None:
    rows = [drop_row(HARBOUR, question, "28") for question in ("How many?", "How much?")]
    forth, back = read_json(tmp_path, rows), read_json(tmp_path, rows[::-1])
    assert {item.id: item for item in forth.items} == {item.id: item for item in back.items}


def test_malformed_rows_are_rejected_with_the_reason(tmp_path: Path) -> None:
    broken = {"context": "no prompt", "completion": "x", "ref_text": "x"}
    rows = [
        drop_row(HARBOUR, "How many?", "28"),
        broken,
        drop_row(HARBOUR, "Who?", ""),
        drop_row(HARBOUR, "Who?!", "half \ud83d"),
    ]
    source = read_json(tmp_path, rows)
    reasons = [rejected.reason for rejected in source.rejected]
    assert reasons == [
        "the context is not of the form Passage, Question, Answer",
        "the answer is empty",
        "the answer holds half a character (a lone surrogate)",
    ]
    assert source.rows == 4


def test_pubmedqa(tmp_path: Path) -> None:
    abstract = {
        "QUESTION": "Does tea help?",
        "CONTEXTS": ["We gave tea to 40 people.", "Half slept better."],
        "LONG_ANSWER": "Tea may help.",
        "final_decision": "maybe",
    }
    source = read_json(tmp_path, {"123": abstract, "124": {**abstract, "CONTEXTS": []}})
    item = source.items[0]
    assert (source.name, item.id, item.domain) == ("pubmedQA", "123", "medical")
    assert item.passage == "We gave tea to 40 people.\n\nHalf slept better."
    assert item.meta["final_decision"] == "maybe"
    assert [(r.id, r.reason) for r in source.rejected] == [("124", "the passage is empty")]


def article(context: str, *questions: tuple[str, str, int]) -> dict[str, object]:
    qas = [
        {"id": n, "question": question, "answers": [{"text": text, "answer_start": start}]}
        for n, (question, text, start) in enumerate(questions)
    ]
    return {"data": [{"paragraphs": [{"context": context, "document_id": 1, "qas": qas}]}]}


SENTENCES = [f"Sentence {n} says that cohort {n} had {n * 7} cases." for n in range(400)]
LONG = "On cohorts\n\n" + "\n\n".join(" ".join(SENTENCES[n : n + 8]) for n in range(0, 400, 8))


def test_covidqa_short_article_is_kept_whole(tmp_path: Path) -> None:
    text = "A title\n\nMasks helped in 12 wards."
    source = read_json(tmp_path, article(text, ("Where?", " 12 wards", text.index("12"))))
    item = source.items[0]
    assert (item.passage, item.answer) == (text, "12 wards")
    assert item.meta["window"] == [0, len(text)]
    assert item.meta["title"] == "A title"


@given(st.integers(0, 399), st.integers(300, 4000))
def test_covidqa_window_holds_its_support(tmp_path_factory, which: int, limit: int) -> None:
    answer = SENTENCES[which]
    start = LONG.index(answer)
    folder = tmp_path_factory.mktemp("covid")
    document = article(LONG, ("Which?", answer, start))
    item = read_json(folder, document, max_passage_chars=limit).items[0]
    low, high = item.meta["window"]
    assert len(item.passage) <= limit
    assert LONG[low:high] == item.passage
    assert item.passage[slice(*item.meta["support"])] == answer
    assert low + item.meta["support"][0] == start
    assert item.passage.startswith(("Sentence", "On cohorts"))
    assert item.passage.endswith("cases.")
    assert item.meta["article_key"] == passage_key(LONG)


def test_covidqa_takes_the_occurrence_nearest_to_the_offset(tmp_path: Path) -> None:
    text = "Fever was rare. " * 40
    second = text.index("Fever", 300)
    item = read_json(tmp_path, article(text, ("What?", "Fever", second + 1))).items[0]
    assert item.meta["support"] == [second, second + 5]


def test_covidqa_rejections_are_counted(tmp_path: Path) -> None:
    text = "Masks helped. " * 9
    document = article(text, ("a?", "gloves", 0), ("b?", "  ", 0), ("c?", text.strip(), 0))
    source = read_json(tmp_path, document, max_passage_chars=50)
    assert [r.reason for r in source.rejected] == [
        "the answer is not in the article",
        "the question has no answer",
        "the answer is longer than 50 characters",
    ]
    assert (source.rows, [*source.items]) == (3, [])


def test_financebench_pages_are_tidied_and_stand_once(tmp_path: Path) -> None:
    page = "Cash flow \n \nCapital   spending\n \n$\n(1,577)\n \n$\n 44\n"
    evidence = [{"evidence_text": "part", "evidence_text_full_page": page}] * 2
    row = {
        "financebench_id": "fb_1",
        "question": "How much was spent?",
        "answer": "$1577.00",
        "doc_name": "ACME_2018_10K",
        "question_type": "metrics-generated",
        "justification": "Read from the statement.",
        "evidence": [*evidence, {"evidence_text": "A note."}],
    }
    item = read_json(tmp_path, [row]).items[0]
    assert item.passage == "Cash flow\nCapital spending\n$(1,577)\n$44\n\nA note."
    assert (item.source_ds, item.id, item.meta["title"]) == (
        "FinanceBench",
        "fb_1",
        "ACME_2018_10K",
    )
    assert item.meta["answer_type"] == "money"


TABLE = [["", "Years ended", ""], ["", "2019", "2018"], ["Sales | net", "$  1,452.4", "$ (44)"]]


def tat_item(folder: Path, **question: object) -> Item:
    asked = {"uid": "u1", "question": "How much?", "scale": "", "derivation": "", **question}
    paragraphs = [{"order": 2, "text": "Second."}, {"order": 1, "text": "First."}]
    document = {"table": {"table": TABLE}, "paragraphs": paragraphs, "questions": [asked]}
    return read_json(folder, [document]).items[0]


def test_tatqa_passage_is_a_table_and_its_text(tmp_path: Path) -> None:
    assert tat_item(tmp_path, answer=["x"]).passage == (
        "|  | Years ended |  |\n| --- | --- | --- |\n|  | 2019 | 2018 |\n"
        "| Sales \\| net | $1,452.4 | $(44) |\n\nFirst.\n\nSecond."
    )


@pytest.mark.parametrize(
    ("question", "answer", "aliases", "kind"),
    [
        ({"answer": 411.5, "scale": "thousand"}, "411.5 thousand", ("411.5",), "number"),
        ({"answer": -39343, "scale": "million"}, "-39,343 million", ("-39,343",), "number"),
        ({"answer": 4.34, "scale": "percent"}, "4.34%", ("4.34",), "percent"),
        ({"answer": 0, "scale": "percent"}, "0%", ("0",), "percent"),
        ({"answer": ["$ 1,452.4"], "scale": "million"}, "$1,452.4 million", ("$1,452.4",), "money"),
        ({"answer": ["$3.0 million"], "scale": "million"}, "$3.0 million", (), "money"),
        ({"answer": ["21%"], "scale": "percent"}, "21%", (), "percent"),
        ({"answer": "3"}, "3", (), "number"),
        ({"answer": ["the net sales"], "scale": "million"}, "the net sales", (), "span"),
        (
            {"answer": ["2019"], "scale": "percent", "question": "In which year?"},
            "2019",
            (),
            "date",
        ),
        (
            {"answer": ["44", "(12)"], "scale": "million"},
            "44 million and (12) million",
            ("44 and (12)",),
            "spans",
        ),
        ({"answer": ["a", "b", "c"]}, "a, b and c", (), "spans"),
    ],
)
def test_tatqa_answer_spells_its_scale(tmp_path: Path, question, answer, aliases, kind) -> None:
    item = tat_item(tmp_path, **question)
    assert item.answer == answer
    assert item.aliases == (answer, *aliases)
    assert item.meta["answer_type"] == kind


def test_tatqa_parts_are_kept(tmp_path: Path) -> None:
    item = tat_item(tmp_path, answer=["4", "5"], scale="thousand", derivation="d")
    assert item.meta["parts"] == ["4 thousand", "5 thousand"]
    assert (item.meta["scale"], item.meta["derivation"]) == ("thousand", "d")


@pytest.mark.parametrize("answer", [[], "", ["a", ""], None, True, [{"a": 1}]])
def test_tatqa_answer_that_is_none_is_rejected(tmp_path: Path, answer: object) -> None:
    asked = [{"uid": "u1", "question": "?", "answer": answer}]
    document = {"table": {"table": TABLE}, "paragraphs": [], "questions": asked}
    source = read_json(tmp_path, [document])
    assert (source.rows, [*source.items], len(source.rejected)) == (1, [], 1)


@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1))
def test_join_lists_every_part_in_order(parts: list[str]) -> None:
    assert join(parts).replace(" and ", ", ").split(", ") == parts


@given(st.integers(), st.sampled_from(["", " million"]))
def test_kinds_of_written_numbers(number: int, scale: str) -> None:
    assert kind_of(f"{number:,}{scale}", "text") == "number"
    assert kind_of(f"${abs(number):,}{scale}", "text") == "money"
    assert kind_of(f"{number}%", "text") == "percent"
    assert kind_of(f"about {number}", "text") == "text"
