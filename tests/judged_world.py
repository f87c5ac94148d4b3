"""Judged rows for the tests of what is counted from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from halubench.predictions import Judged
from halubench.records import Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREAD = "no SCORE in the answer"
Told = tuple[str, str, float | None]
TOLD = st.tuples(
    st.sampled_from(["PASS", "FAIL"]),
    st.sampled_from(["PASS", "FAIL", "UNSCORED"]),
    st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0]),
)


def judged_row(number: int, told: Told, **change: str) -> Judged:
    """A row of (label, verdict, P(FAIL)); each row is its own passage unless told otherwise."""
    label, verdict, p_fail = told
    said = Prediction(
        id=f"{number:05}",
        judge="",
        verdict=Unscored(UNREAD) if verdict == "UNSCORED" else verdict,
        p_fail=p_fail,
    )
    fields = {
        "source_ds": "boats",
        "group": f"g{number}",
        "pair_id": "",
        "domain": "",
        "perturbation": "",
        "level": "",
    }
    return Judged(label=label, said=said, **{**fields, **change})


def judged_rows(told: Sequence[Told]) -> list[Judged]:
    """One source; rows two and two share a passage and a question."""
    return [
        judged_row(number, each, group=f"g{number // 2}", pair_id=f"p{number // 2}")
        for number, each in enumerate(told)
    ]
