"""Two values or names exchanged: both twins hold the same words."""

from __future__ import annotations

import pytest
from perturb_world import fails, ground

SITES = ["number", "percent", "money"]


def exchanged(text: str, **more: object) -> set[str]:
    passage = f"As it was told by Venn of Brandt and others: {text.lower()}"
    found: set[str] = set()
    for seed in range(6):
        of = ground(passage, "What was told?", text, seed=seed)
        found |= fails(of, operator="exchange", **{"sites": SITES, **more})
    return found


def test_two_values_told_of_two_things() -> None:
    text = "Sensitivity was 85% and specificity 92% in the test."
    assert exchanged(text) == {"Sensitivity was 92% and specificity 85% in the test."}


def test_respectively_makes_two_things_of_a_list() -> None:
    text = "For men and women it was 12 and 15, respectively."
    assert exchanged(text) in ({text.replace("12 and 15", "15 and 12")}, set())


@pytest.mark.parametrize(
    "text",
    [
        "The rate rose from 12% in May to 15% in June.",
        "The price lies between 12 euros in May and 15 euros in June.",
        "It was higher in May (15%) than in June (12%).",
        "In all it was 12% in May. Then it was 15% in June.",
        "It was 12% in May and 12% in June.",
        "A total of 12 men and 15 women came.",
    ],
)
def test_left_alone_where_the_exchange_shows_or_says_the_same(text: str) -> None:
    assert exchanged(text) == set()


def test_names_around_a_verb_that_has_a_direction() -> None:
    text = "In the end the club of Venn defeated Brandt by far."
    turned = "In the end the club of Brandt defeated Venn by far."
    names = {"sites": ["name"], "near": ["defeated"]}
    passage = "In May the men of Venn came to those of Brandt and won."
    assert fails(ground(passage, "Who won?", text), operator="exchange", **names) == {turned}
    met = text.replace("defeated", "met")
    assert fails(ground(passage, "Who met?", met), operator="exchange", **names) == set()
