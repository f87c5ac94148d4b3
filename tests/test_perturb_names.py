"""Names exchanged for names of the same kind, where the other name is surely another answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import fails, ground

from halubench.perturb import names, sites

GOLD = "The mill was built by Orla Venn."


def swapped(
    passage: str, question: str = "By which builder was it made?", text: str = GOLD
) -> set[str]:
    return {
        wrong
        for seed in range(8)
        for wrong in fails(
            ground(passage, question, text, "Orla Venn", seed), operator="swap", sites=["name"]
        )
    }


def test_a_name_that_follows_the_same_words() -> None:
    passage = "It was made by Orla Venn. The church was built by Otto Brandt in Calne."
    assert swapped(passage) == {"The mill was built by Otto Brandt."}


@pytest.mark.parametrize(
    "passage",
    [
        "It was made by Orla Venn. Then it burnt in Old Calne.",
        "It was made by Orla Venn. Then it was sold by ACME.",
        "It was made by Orla Venn. Later work was done by Otto Venn.",
        "It was made by Orla Venn and Otto Brandt. The church was built by Otto Brandt.",
        "It was made by Orla Venn (Otto Brandt). Other work by Otto Brandt.",
        "It was made by Orla Venn. Otto Brandt left.",
    ],
    ids=["other words before", "acronym", "shared word", "coordinated", "in brackets", "headless"],
)
def test_no_name_of_another_kind_or_beside_the_right_one(passage: str) -> None:
    assert swapped(passage) == set()


def test_no_name_that_the_same_sentence_mentions_unless_it_is_the_whole_answer() -> None:
    passage = "Built by Orla Venn, the mill was sold by Otto Brandt."
    assert swapped(passage) != set()
    of = "the mill built by Orla Venn"
    text = f"It was {of}."
    made = fails(ground(passage, "Which?", text, of), operator="swap", sites=["name"])
    assert made == set()


def test_no_team_no_alternative_no_name_of_the_question() -> None:
    passage = "It was made by Orla Venn. The church was built by Otto Brandt."
    assert swapped(passage, "Which team won?") == set()
    assert swapped(passage, "Was it built by, Orla Venn or Otto Brandt?") == set()
    assert swapped(passage, "Who built it before Brandt?") == set()


def test_initials_are_the_same_name() -> None:
    passage = "It is paid by National Grid. Then it is sent by NG. Then it is read by Otto Brandt."
    of = ground(passage, "By what?", "It is by National Grid.", "National Grid")
    assert fails(of, operator="swap", sites=["name"]) == {"It is by Otto Brandt."}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The mill of Orla Venn stood.", ["Orla Venn"]),
        ("In Calne they met Dr Brandt.", ["Calne", "Dr Brandt"]),
        ("This is IL-6 in January.", ["IL-6"]),
        ("He saw the Bank of Calne.", ["Bank of Calne"]),
        ("However, nothing.", []),
    ],
)
def test_names_of_a_text(text: str, found: list[str]) -> None:
    assert [name for _, _, name in sites.names(text)] == found
    assert all(text[start:end] == name for start, end, name in sites.names(text))


def test_a_capital_at_the_head_of_a_sentence_proves_no_name() -> None:
    passage = "Walnuts fell. They met in Calne. Then in Dunley, by Otto. V was in Part II."
    assert sites.proper_names(passage) == {
        "Calne": frozenset({"in"}),
        "Dunley": frozenset({"in"}),
        "Otto": frozenset({"by"}),
        "Part II": frozenset({"in"}),
    }


@given(
    st.lists(
        st.sampled_from(
            ["Orla", "Orla Orla", "Brandt", ",", " ", "  ", "(", "and ", "the ", " or ", "of", "x"]
        ),
        max_size=12,
    )
)
def test_names_side_by_side_are_found_wherever_they_stand(parts: list[str]) -> None:
    passage = "".join(parts)
    between = r"(?:\s*[,/&(]\s*(?:and |or )?|\s+(?:and|or|of|the)\s+|\s+)(?:the )?"
    told = re.search(f"Orla{between}Brandt|Brandt{between}Orla", passage)
    assert names.coordinated("Orla", "Brandt", passage) == bool(told)
