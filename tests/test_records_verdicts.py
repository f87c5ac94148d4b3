"""Verdicts written and read back; rows shown blind."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.records import (
    EXAMPLE_FIELDS,
    LABELS,
    Example,
    Unscored,
    Verdict,
    parse_verdict,
    render_verdict,
)

VERDICTS = st.sampled_from(LABELS) | st.text(max_size=30).map(Unscored)


@given(VERDICTS)
def test_a_verdict_is_read_back_as_it_was(verdict: Verdict) -> None:
    assert parse_verdict(render_verdict(verdict)) == verdict


@given(st.sampled_from(LABELS))
def test_a_reason_that_is_a_label_is_no_label(label: str) -> None:
    assert parse_verdict(render_verdict(Unscored(label))) == Unscored(label)


@pytest.mark.parametrize("text", ["", "pass", "PASS ", "FAIL.", "0", "UNSCORED: PASS"])
def test_anything_else_is_unscored(text: str) -> None:
    assert isinstance(parse_verdict(text), Unscored)


def test_a_blind_row_has_all_but_the_label() -> None:
    row = Example("id", "passage", "question?", "answer", "FAIL", "source")
    assert tuple(one.name for one in dataclasses.fields(row)) == EXAMPLE_FIELDS
    blind = dataclasses.asdict(row.blind())
    assert {**blind, "label": "FAIL"} == dataclasses.asdict(row)
    assert "label" not in blind
