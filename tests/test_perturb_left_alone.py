"""Spans that no rule edits, because the edit would be no hallucination, or would show by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import fails, ground, item

from halubench.perturb import respell, restate
from halubench.perturb.ground import compares
from halubench.perturb.loosen import loosen
from halubench.records import Rejected

YEARS = {"operator": "swap", "sites": ("year",)}
NUMBERS = {"operator": "swap", "sites": ("number", "percent", "money")}
WORDS = {
    "operator": "flip",
    "words": (("increased", "decreased"), ("early", "late"), ("higher", "lower")),
}


def test_the_year_of_a_reference_is_no_site_but_the_year_of_an_event_is() -> None:
    passage = "Founded in 1901 (Marsh et al., 1921) and closed in 1913."
    cited = ground(passage, "Who says so?", "So says the study (Marsh et al., 1921) of the mill.")
    told = ground(
        passage, "When was the mill founded?", "The mill was founded in 1901 by a miller."
    )
    assert fails(cited, **YEARS) == set()
    assert fails(told, **YEARS) == {
        "The mill was founded in 1913 by a miller.",
        "The mill was founded in 1921 by a miller.",
    }


@pytest.mark.parametrize(
    "text",
    [
        "There are three aims: (1) safety and (2) comfort of the guests.",
        "The gate was moved, as reported [7], by two horses.",
        "The line flies the 737, 777X and 787 to the islands.",
        "The fee lies between 12 and 18 euros for most guests.",
        "Deaths after 30- and 90-day stays were counted.",
    ],
)
def test_list_numbers_references_codes_and_ends_of_ranges_stay(text: str) -> None:
    passage = "On the list stand 1, 2, 3, 5, 7, 9, 12, 18, 25, 30, 45, 90, 737, 787 and 800."
    assert fails(ground(passage, "What is said?", text), **NUMBERS) == set()


def test_a_number_that_names_a_thing_is_never_the_wrong_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(respell, "SHARE", 0.0)
    passage = (
        "In week 13 the crew painted 17 doors. On page 15 it says that 19 windows were painted."
    )
    found = fails(ground(passage, "How many doors?", "The crew painted 17 doors.", "17"), **NUMBERS)
    assert found == {"The crew painted 19 doors."}


def test_two_values_set_against_each_other_are_left_as_they_are() -> None:
    rose = "The rate rose to 0.14% from 0.11% over the winter months."
    passage = rose + " Elsewhere it was 0.19%."
    assert fails(ground(passage, "What happened to the rate?", rose), **NUMBERS) == set()
    grew = "The fee increased to $84.7 million from $72.3 million."
    assert fails(ground(grew, "What happened to the fee?", grew), **WORDS) == set()
    alone = "The fee increased to $84.7 million over the winter."
    assert fails(ground(alone, "What happened?", alone), **WORDS) == {
        alone.replace("increased", "decreased")
    }


@given(st.integers(1900, 2099), st.integers(1900, 2099))
def test_years_alone_are_no_comparison(first: int, second: int) -> None:
    assert not compares(f"The increase from {first} to {second} was steep")
    assert compares(f"The rate fell from 7.{first % 10}% to 3.{second % 10}%")


def test_as_early_as_and_claims_that_hold_either_way_are_not_flipped() -> None:
    for text in (
        "Swelling was seen as early as the first day.",
        "The risk was comparable to or higher than that of smokers.",
        "The virus may be found in the blood of those whose dose was increased.",
    ):
        assert fails(ground(text, "What was seen?", text), **WORDS) == set()


def test_an_answer_cut_inside_a_word_is_turned_away_and_one_at_its_border_is_not() -> None:
    passage = "The clay that came from the upper pit is finer than the rest of it."
    cut = restate.restate(item(passage, "Which clay?", "hat came from the upper pit"), "restate")
    whole = restate.restate(
        item(passage, "Which clay?", "clay that came from the upper pit"), "restate"
    )
    assert isinstance(cut, Rejected)
    assert "cut inside" in cut.reason
    assert not isinstance(whole, Rejected)


def test_no_word_of_a_short_answer_counts_as_cut() -> None:
    passage = "The notice says that nobody may enter."
    assert not isinstance(restate.restate(item(passage, "May I enter?", "no"), "restate"), Rejected)


def test_a_percentage_that_two_numbers_make_is_anchored_and_another_is_not() -> None:
    passage = "Sales were 250 crates in May and 200 crates in April."
    ask = "What was the growth of sales from April to May?"
    assert restate.unsupported(item(passage, ask, "25%")) == ""
    assert restate.unsupported(item(passage, ask, "80%")) == ""
    assert "neither in the passage" in restate.unsupported(item(passage, ask, "31%"))


def test_a_copied_answer_is_loosened_the_same_way_each_time_and_keeps_its_content() -> None:
    answer = (
        "the wall due to frost and rain such as that of the long winter and spring because of hail"
    )
    made = {loosen(answer, str(key)) for key in range(30)}
    assert len(made) > 3
    assert all("frost" in one and "hail" in one and "winter" in one for one in made)
    assert loosen(answer, "7") == loosen(answer, "7")
    assert loosen("frost and rain", "7") == "frost and rain"
