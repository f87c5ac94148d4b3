"""Variants leave meaning, and so words and numbers, as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import ScriptedServer, chat, error

from halubench import content
from halubench.errors import InputError
from halubench.models.base import EngineOptions
from halubench.records import Row
from halubench.text import words
from halubench.variants import UNCHANGED, unvaried, vary
from halubench.variants.base import Unvaried, VariantOptions

PIECES = st.sampled_from(
    [
        "It grew by 12.5 %,",
        "sales rose to $ 1 577 million",
        "- a point",
        "**Bold** words",
        "| a | b |",
        "# Heading",
        "The list follows:",
        "\n",
        "\n\n",
        "x  y",
        "3 kg of iron",
        "and so on. " * 9,
    ]
)
PASSAGES = st.lists(PIECES, min_size=1, max_size=12).map(" ".join) | st.text(max_size=80)


def _row(passage: str, question: str = "Who?", key: str = "1") -> Row:
    return Row(key, passage, question, "Ann.", "ours")


def _options(**more: object) -> VariantOptions:
    return VariantOptions(**{"out": Path("unused"), **more})


def _one(name: str, row: Row, **more: object) -> Row | Unvaried:
    return vary([name], [row], _options(**more))[name][0]


@settings(max_examples=60)
@given(PASSAGES)
def test_the_words_and_their_order_survive_a_new_layout(passage: str) -> None:
    new = _one("format", _row(passage))
    if isinstance(new, Row):
        assert words(new.passage) == words(passage)


@settings(max_examples=60)
@given(PASSAGES, st.integers(0, 5))
def test_the_words_survive_a_new_order(passage: str, seed: int) -> None:
    new = _one("paragraphs", _row(passage), seed=seed)
    if isinstance(new, Row):
        assert sorted(words(new.passage)) == sorted(words(passage))
        assert new == _one("paragraphs", _row(passage), seed=seed)


def test_layout_changes_and_leaves_tables_and_numbers_alone() -> None:
    passage = (
        "# Results\n* **Net sales** rose\n| 2019 | 1 577 |\n"
        + "The company sold 12 500 000 units of its product in 2019 and in 2020 " * 2
    )
    new = _one("format", _row(passage))
    assert isinstance(new, Row)
    lines = new.passage.split("\n")
    assert lines[:3] == ["Results", "- Net sales rose", "| 2019 | 1 577 |"]
    assert "12 500 000 units" in new.passage
    assert max(map(len, lines)) <= 72 < len(passage.split("\n")[3])


def test_paragraphs_move_whole_with_their_headings_and_alike_for_twins() -> None:
    parts = ["# One\n\nfirst", "They are:\n\na, b", "third"]
    row = _row("\n\n".join(parts))
    orders = set()
    for seed in range(20):
        new, twin = vary(["paragraphs"], [row, _row(row.passage, key="2")], _options(seed=seed))[
            "paragraphs"
        ]
        assert isinstance(new, Row)
        assert isinstance(twin, Row)
        assert new.passage == twin.passage != row.passage
        assert all(part in new.passage for part in parts)
        orders.add(new.passage)
    assert len(orders) > 1


def test_a_row_that_cannot_be_varied_says_why_and_is_counted() -> None:
    rows = [_row("One paragraph."), _row("Two.\n\nParagraphs.")]
    found = vary(["paragraphs"], rows, _options())
    assert found["paragraphs"][0] == Unvaried(UNCHANGED)
    assert unvaried(found) == ["paragraphs: 1 of 2 rows have no variant (1 × nothing to change)."]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (chat('{"question": "In 2019, what did Acme sell?"}'), "In 2019, what did Acme sell?"),
        (chat('Sure: {"question": "What was sold by\\nAcme in 2019?"}'), "What was sold by Acme in 2019?"),
        (chat('{"question": "What did Acme sell in 2018?"}'), "the reply has other numbers"),
        (chat('{"question": "What did Acme not sell in 2019?"}'), "the reply turns the question round"),
        (chat('{"question": "What did Acme sell, in 2019?"}'), "the reply has the same words"),
        (chat('{"question": 3}'), "the reply has no question"),
        (chat("[1, 2]"), "the reply has no question"),
        (chat("What was sold?"), "the reply is not JSON"),
        (error(500), "endpoint: "),
    ],
)  # fmt: skip
def test_a_rephrased_question_is_taken_only_if_it_asks_the_same(tmp_path, reply, expected) -> None:
    row = _row("Acme sold ink.", "What did Acme sell in 2019?")
    others = [_row("Another passage.", row.question, "2"), _row("x", "Who else?", "3")]

    def script(seen):
        return reply if "Acme" in seen.prompt else chat('{"question": "Which other person?"}')

    with ScriptedServer(script) as server:
        more = {"rephraser": f"openai:any@{server.url}", "engine": EngineOptions(window=1)}
        options = _options(out=tmp_path, retries=0, **more)
        first, twin, other = vary(["rephrase"], [row, *others], options)["rephrase"]
        asked = len(server.seen)
        assert vary(["rephrase"], [row, *others], options)["rephrase"][2] == other
        repeated = len(server.seen) - asked
    told = first.reason if isinstance(first, Unvaried) else first.question
    assert told.startswith(expected)
    assert (first == twin) == isinstance(first, Unvaried)
    assert isinstance(other, Row)
    assert other.question == "Which other person?"
    assert asked == 2
    assert repeated == expected.startswith("endpoint")
    (kept,) = tmp_path.glob("rephrase-*/questions.json")
    assert json.loads(kept.read_text())["Who else?"] == "Which other person?"


def test_rephrasing_needs_a_model_and_names_are_checked() -> None:
    with pytest.raises(InputError, match="needs a model"):
        vary(["rephrase"], [_row("x")], _options())
    with pytest.raises(InputError, match="'shout' is no variant") as caught:
        vary(["shout"], [_row("x")], _options())
    assert "format, paragraphs, rephrase" in caught.value.remedy


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("[replace(r, question=r.question.upper()) for r in rows]", None),
        ("[replace(r, answer='other') for r in rows]", "id and answer"),
        ("list(rows)[1:]", "every row back"),
    ],
)
def test_one_file_adds_a_variant_which_may_not_touch_the_answer(
    tmp_path, monkeypatch, body, fault
) -> None:
    (tmp_path / "variants").mkdir()
    source = f"from dataclasses import replace\n\n\ndef vary(rows, options):\n    return {body}\n"
    (tmp_path / "variants" / "shout.py").write_text(source)
    monkeypatch.setattr(content, "_extra", [tmp_path])
    if fault:
        with pytest.raises(InputError, match="does not give every row back with its id and answer"):
            _one("shout", _row("x"))
    else:
        new = _one("shout", _row("x"))
        assert isinstance(new, Row)
        assert new.question == "WHO?"
