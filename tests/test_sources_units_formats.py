"""The small functions of the sources, one by one: kinds, tables, scales, dates, detection."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import content
from halubench.errors import InputError
from halubench.reading import KEY, Record
from halubench.records import Item, Rejected
from halubench.sources import SourceOptions, drop, financebench, pubmedqa, table, tatqa
from halubench.sources.base import join, kind_of, text

OPTIONS = SourceOptions()
LETTERS = st.text(st.sampled_from("abcXYZ "), min_size=1).map(str.strip).filter(bool)


def records(*rows: dict[str, object]) -> list[Record]:
    return [Record(Path("own.json"), number, row) for number, row in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("7", "number"),
        ("-7", "number"),
        ("−7.5", "number"),
        ("1,250,000", "number"),
        (".5", "number"),
        ("(1,250)", "number"),
        ("3.2 million", "number"),
        ("3 trillion", "number"),
        (" 7 ", "number"),
        ("7%", "percent"),
        ("7 %", "percent"),
        ("7.25 percent", "percent"),
        ("7 per cent", "percent"),
        ("(7.5%)", "percent"),
        ("$7", "money"),
        ("-$7.5", "money"),
        ("€ 1,000", "money"),
        ("£3.5 billion", "money"),
        ("¥(12)", "money"),
        ("yes", "yesno"),
        ("No", "yesno"),
        ("YES", "yesno"),
        ("", "span"),
        ("7 dogs", "span"),
        ("7.", "span"),
        ("7 zillion", "span"),
        ("yes indeed", "span"),
        ("$", "span"),
        ("1-2", "span"),
    ],
)
def test_kind_of_a_bare_value(answer: str, kind: str) -> None:
    assert kind_of(answer, "span") == kind


@pytest.mark.parametrize(
    ("parts", "listed"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["1,000", "2", "3", "4"], "1,000, 2, 3 and 4"),
    ],
)
def test_join_as_english_lists(parts: list[str], listed: str) -> None:
    assert join(parts) == listed


@pytest.mark.parametrize(
    ("value", "expected"), [(" a\n", "a"), ("", ""), (None, ""), (3, ""), (["a"], "")]
)
def test_text_of_a_field_is_stripped_text_or_nothing(value: object, expected: str) -> None:
    assert text({"x": value}, "x") == expected
    assert text({"y": "other"}, "x") == ""


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\\"), max_size=8)


@given(st.lists(st.lists(CELL, max_size=5), min_size=1, max_size=6).filter(any))
def test_tatqa_markdown_is_rectangular_whatever_the_rows(rows: list[list[str]]) -> None:
    lines = tatqa._markdown(rows).split("\n")
    width = max(map(len, rows))
    assert len(lines) == len(rows) + 1
    assert lines[1] == f"| {' | '.join(['---'] * width)} |"
    for line in lines:
        assert line.replace("\\|", "").count("|") == width + 1
        assert line.startswith("| ")
        assert line.endswith(" |")


@given(st.lists(st.lists(LETTERS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_tatqa_markdown_keeps_every_cell_in_its_place(rows: list[list[str]]) -> None:
    header, _, *rest = tatqa._markdown(rows).split("\n")
    read = [line.strip("| ").split(" | ") for line in (header, *rest)]
    assert read == [[" ".join(cell.split()) for cell in row] for row in rows]


def test_tatqa_no_table_leaves_the_paragraphs_alone() -> None:
    assert tatqa._markdown([]) == ""
    paragraphs = [{"order": "2", "text": " b "}, {"order": 10, "text": "c"}, {"text": "a"}]
    assert tatqa._passage({"table": None, "paragraphs": paragraphs}) == "a\n\nb\n\nc"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("$ 1,452", "$1,452"),
        ("€ (3)", "€(3)"),
        ("£ —", "£—"),
        ("12 %", "12%"),
        ("(3) %", "(3)%"),
        ("( 44 )", "(44)"),
        ("a  \n b", "a b"),
        ("a|b", "a\\|b"),
        ("$ net", "$ net"),
        ("5 ) 6", "5) 6"),
        ("", ""),
    ],
)
def test_tatqa_cell_closes_the_gaps_of_signs(cell: str, written: str) -> None:
    assert tatqa._cell(cell) == written


@pytest.mark.parametrize(
    ("part", "scale", "scaled"),
    [
        ("7", "thousand", "7 thousand"),
        ("7", "million", "7 million"),
        ("(7)", "billion", "(7) billion"),
        ("7", "percent", "7%"),
        ("-7.5", "percent", "-7.5%"),
        ("$7", "million", "$7 million"),
        ("7", "", "7"),
        ("7", "dozen", "7"),
        ("7%", "percent", "7%"),
        ("7 million", "million", "7 million"),
        ("$7 billion", "million", "$7 billion"),
        ("sales", "million", "sales"),
        ("yes", "percent", "yes"),
    ],
)
def test_tatqa_scale_is_spelled_once_and_only_on_bare_values(part, scale, scaled) -> None:
    assert tatqa._scaled(part, scale) == scaled


@given(st.integers(-(10**9), 10**9), st.sampled_from(("thousand", "million", "billion", "percent")))
def test_tatqa_scaling_twice_is_scaling_once(number: int, scale: str) -> None:
    once = tatqa._scaled(str(number), scale)
    assert once != str(number)
    assert tatqa._scaled(once, scale) == once


@pytest.mark.parametrize(
    ("value", "grouped", "written"),
    [
        (1234567, True, "1,234,567"),
        (1234567, False, "1234567"),
        (-39343, True, "-39,343"),
        (0.5, True, "0.5"),
        (1234.5, True, "1,234.5"),
        (" $ 5\n", False, "$5"),
        (True, False, ""),
        (None, True, ""),
        ({}, True, ""),
    ],
)
def test_tatqa_number_is_grouped_as_its_passage_is(value, grouped: bool, written: str) -> None:
    assert tatqa._written(value, grouped) == written


@pytest.mark.parametrize(
    ("part", "question", "year"),
    [
        ("2019", "Which year?", True),
        ("1999", "In what YEAR did it begin?", True),
        ("2019", "How much?", False),
        ("20190", "Which year?", False),
        ("1850", "Which year?", False),
        ("2019 ", "Which year?", False),
    ],
)
def test_tatqa_year_needs_a_question_for_one(part: str, question: str, year: bool) -> None:
    assert tatqa._is_year(part, question) is year


@pytest.mark.parametrize(
    ("answer", "question", "meta"),
    [
        ("May 1922", "Who?", {"answer_type": "date"}),
        ("may 3", "Who?", {"answer_type": "date"}),
        ("3 September", "Who?", {"answer_type": "date"}),
        ("Sept. 3, 1922", "Who?", {"answer_type": "date"}),
        ("3 May 1922", "Who?", {"answer_type": "date"}),
        ("1066", "When was it?", {"answer_type": "date"}),
        ("1066", "Which date was it?", {"answer_type": "date"}),
        ("1066", "How many whenever?", {"answer_type": "number"}),
        ("2166", "When was it?", {"answer_type": "number"}),
        ("mayor", "Who?", {"answer_type": "span"}),
        ("Ole and Anna", "Who?", {"answer_type": "spans", "parts": ["Ole", "Anna"]}),
        ("Anna and Ole", "Who?", {"answer_type": "span"}),
        ("Ole and Kari", "Who?", {"answer_type": "span"}),
        ("$12", "How much?", {"answer_type": "money"}),
        ("yes", "Did they?", {"answer_type": "yesno"}),
    ],
)
def test_drop_meta_of_an_answer(answer: str, question: str, meta: dict[str, object]) -> None:
    assert drop._meta("Anna and Ole sold 12 boats.", question, answer) == meta


def drop_fields(passage: str, question: str, *answers: str) -> dict[str, object]:
    context = f"Passage: {passage}\nQuestion: {question}\nAnswer:"
    return {"context": context, "completion": answers[0], "ref_text": "|".join(answers)}


@given(LETTERS, LETTERS, st.lists(LETTERS, min_size=1, max_size=4))
def test_drop_gives_back_what_the_prompt_was_made_of(passage, question, answers) -> None:
    (item,) = drop.items(records(drop_fields(passage, question, *answers)), OPTIONS)
    assert isinstance(item, Item)
    assert (item.passage, item.question, item.answer) == (passage, question, answers[0])
    assert item.aliases == tuple(answers)


def test_drop_row_of_another_form_is_rejected_and_the_rest_go_on() -> None:
    bad = {"context": "Passage: p\nAnswer:", "completion": "a", "ref_text": "a"}
    first, second = drop.items(records(bad, drop_fields("p", "q", "a")), OPTIONS)
    assert isinstance(first, Rejected)
    assert "Passage, Question, Answer" in first.reason
    assert isinstance(second, Item)


def pubmed_fields(**changes: object) -> dict[str, object]:
    own = {"QUESTION": "Is it?", "CONTEXTS": ["One. ", " Two."], "LONG_ANSWER": "It is."}
    return {KEY: "123", **own, **changes}


@pytest.mark.parametrize(
    ("decision", "required", "free", "agree"),
    [
        ("yes", "yes", "yes", True),
        ("yes", "yes", None, True),
        ("yes", None, None, True),
        ("yes", "no", "yes", False),
        ("yes", "yes", "maybe", False),
        ("maybe", "no", "no", False),
        ("no", " no ", "", True),
    ],
)
def test_pubmedqa_agreement_of_the_annotators(decision, required, free, agree) -> None:
    changes = {"final_decision": decision, "reasoning_required_pred": required}
    fields = pubmed_fields(**changes, reasoning_free_pred=free)
    (item,) = pubmedqa.items(records(fields), OPTIONS)
    assert isinstance(item, Item)
    assert item.meta["annotators_agree"] is agree
    assert item.meta["final_decision"] == decision


def test_pubmedqa_without_a_decision_says_nothing_of_agreement() -> None:
    (item,) = pubmedqa.items(records(pubmed_fields(reasoning_free_pred="yes")), OPTIONS)
    assert isinstance(item, Item)
    assert (item.id, item.passage) == ("123", "One.\n\nTwo.")
    assert item.meta == {"answer_type": "conclusion"}


@pytest.mark.parametrize("contexts", [None, "One.", {"a": 1}, [], [3, None]])
def test_pubmedqa_without_sections_has_an_empty_passage(contexts: object) -> None:
    fields = {**pubmed_fields(CONTEXTS=contexts), KEY: None}
    (item,) = pubmedqa.items(records(fields), OPTIONS)
    assert isinstance(item, Item)
    assert (item.id, item.passage) == ("row-1", "")


@pytest.mark.parametrize(
    ("page", "tidied"),
    [
        ("a  b\n\n\nc", "a b\nc"),
        ("  a \n\t b ", "a\nb"),
        ("Sales\n$\n5", "Sales\n$5"),
        ("\n \n", ""),
    ],
)
def test_financebench_page_is_tidied(page: str, tidied: str) -> None:
    assert financebench._tidy(page) == tidied


def test_financebench_page_falls_back_to_the_evidence_and_stands_once() -> None:
    pieces = [
        {"evidence_text_full_page": "A page", "evidence_text": "page"},
        {"evidence_text": "Alone"},
        {"evidence_text_full_page": " A  page"},
        {"evidence_text": " "},
    ]
    assert financebench._passage({"evidence": pieces}) == "A page\n\nAlone"
    assert financebench._passage({"evidence": None}) == ""


FIRST_ROWS: dict[str, dict[str, object]] = {
    "drop": drop_fields("p", "q", "a"),
    "pubmedqa": pubmed_fields(),
    "tatqa": {"table": {}, "paragraphs": [{"text": "t"}], "questions": []},
    "covidqa": {"paragraphs": [{"context": "c", "qas": []}]},
    "financebench": {"financebench_id": "f", "question": "q", "answer": "a", "evidence": [{}]},
    "table": {"passage": "p", "question": "q", "answer": "a"},
}


@pytest.mark.parametrize("mine", FIRST_ROWS)
def test_one_format_is_never_taken_for_another(mine: str) -> None:
    taken = [
        name
        for name in content.module_names("sources")
        if content.module("sources", name).matches(FIRST_ROWS[mine])
    ]
    assert taken == [mine]


@pytest.mark.parametrize(
    ("mine", "column"),
    [
        (mine, column)
        for mine, row in FIRST_ROWS.items()
        if mine != "financebench"
        for column in row
    ],
)
def test_a_row_short_of_a_column_is_of_no_format(mine: str, column: str) -> None:
    row = {name: value for name, value in FIRST_ROWS[mine].items() if name != column}
    matches = content.module("sources", mine).matches
    assert matches(row) is (column == KEY)


@pytest.mark.parametrize(
    "label", ["pass", "Fail", "", 0, 1, True, ["FAIL"], "HALLUCINATED"], ids=repr
)
def test_table_label_that_cannot_be_read_is_an_error(label: object) -> None:
    row = {**FIRST_ROWS["table"], "label": label}
    with pytest.raises(InputError, match=r"row 1: the label is .* neither PASS nor FAIL"):
        list(table.items(records(row), OPTIONS))


@pytest.mark.parametrize(
    ("aliases", "kept"),
    [(["x", "y"], ("x", "y")), (["x", 3, None], ("x",)), ("x", ()), (None, ()), ([], ())],
)
def test_table_aliases_are_a_list_of_texts(aliases: object, kept: tuple[str, ...]) -> None:
    (item,) = table.items(records({**FIRST_ROWS["table"], "aliases": aliases}), OPTIONS)
    assert isinstance(item, Item)
    assert item.aliases == kept


def test_table_id_is_made_of_content_and_tells_rows_apart() -> None:
    base = FIRST_ROWS["table"]
    changed = [{**base, name: "other"} for name in table.REQUIRED]
    found = list(table.items(records(base, *changed, {**base, "extra": 1}), OPTIONS))
    ids = [one.id for one in found]
    assert len(set(ids[:4])) == 4
    assert ids[4] == ids[0]
