"""Edits of words: opposites, conclusions, alternatives; and where they would be wrong or tell."""

from __future__ import annotations

import pytest
from perturb_world import fails, ground, proposals

from halubench.perturb.word_edits import offered

PAIRS = (("increase", "decrease"), ("increased", "decreased"), ("reduction", "increase"))
MORE = (
    *PAIRS,
    ("higher", "lower"),
    ("men", "women"),
    ("was not", "was"),
    ("effective", "poor"),
    ("bilateral", "unilateral"),
)


def flipped(text: str, gold: str = "", **more: object) -> set[str]:
    return fails(ground("", "What was found?", text, gold), operator="flip", words=MORE, **more)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Sales increased in May.", {"Sales decreased in May."}),
        ("Sales decreased in May.", {"Sales increased in May."}),
        ("Increased sales were seen.", {"Decreased sales were seen."}),
        ("It led to a reduction.", {"It led to an increase."}),
        ("It led to an increase.", {"It led to a decrease.", "It led to a reduction."}),
        ("An increase came.", {"A decrease came.", "A reduction came."}),
        ("The drug was an effective one.", {"The drug was a poor one.", "The drug was not an effective one."}),
        ("A poor drug.", {"An effective drug."}),
        ("A bilateral one.", {"A unilateral one."}),
        ("The women came.", {"The men came."}),
    ],
)  # fmt: skip
def test_a_word_for_its_opposite_in_the_same_inflection(right: str, wrong: set[str]) -> None:
    assert flipped(right) == wrong


@pytest.mark.parametrize(
    "text",
    [
        "Sales have not increased in May.",
        "Sales haven't increased in May.",
        "Sales haven’t increased in May.",
        "Neither group increased its share.",
        "Sales may have increased in May.",
        "It is unclear whether sales increased.",
        "Not only did prices fall but sales increased too.",
        "Sales increased less than expected.",
        "The trial failed to show that sales increased.",
    ],
)
def test_nothing_is_flipped_near_a_negation_or_hedge(text: str) -> None:
    assert flipped(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Both men and women came.",
        "Unlike women, men came.",
        "Women came, unlike Men.",
        "It increased here and decreased there.",
        "Sales increased and costs increased too.",
        "Increased sales and increased costs.",
    ],
)
def test_nothing_is_flipped_that_would_contradict_itself(text: str) -> None:
    assert flipped(text) == set()


def test_a_negation_far_away_guards_nothing() -> None:
    far = (
        "Sales increased in May, "
        + "as the owners of the shop had said to all, " * 2
        + "not so costs."
    )
    assert flipped(far) == {far.replace("increased", "decreased")}


def test_a_part_of_a_word_is_no_word() -> None:
    assert flipped("An uptake-increased state; increasedly so; highers.") == set()


def test_only_the_answer_inside_its_frame_is_flipped() -> None:
    framed = 'Asked "Are prices higher?", the text says: the men left.'
    assert flipped(framed, "the men left") == {framed.replace("the men", "the women")}


def test_removing_and_adding_a_negation() -> None:
    assert flipped("The link was not seen.") == {"The link was seen."}
    assert flipped("The link was seen.") == {"The link was not seen."}


def test_twins_replace_both_sides_or_none() -> None:
    of = ground("", "?", "Sales rose in May.")
    words = (("rose", "fell"),)
    [both] = proposals(of, operator="flip", words=words, twins={"rose": "grew", "fell": "sank"})
    assert (both.fail, both.twin) == ("sank", "grew")
    [one] = proposals(of, operator="flip", words=words, twins={"rose": "grew"})
    assert (one.fail, one.twin) == ("fell", None)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("It took more boats.", "It took fewer boats."),
        ("More studies came.", "Fewer studies came."),
        ("It did more harm.", "It did less harm."),
        ("It is a more serious loss.", "It is a less serious loss."),
    ],
)
def test_things_that_are_counted_are_fewer(right: str, wrong: str) -> None:
    found = fails(ground("", "What was found?", right), operator="flip", words=(("more", "less"),))
    assert found == {wrong}


def conclusions(gold: str) -> set[str]:
    of = ground("", "Does it?", f"The answer is {gold}.", gold)
    return {one.fail for one in proposals(of, operator="conclusion", words=(("yes", "no"),))}


def test_a_conclusion_is_turned_round() -> None:
    assert (conclusions("yes"), conclusions("no")) == ({"no"}, {"yes"})
    assert conclusions("maybe") == set()
    assert conclusions("yes in part") == set()


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Which is older, the mill or the church?", ("mill", "church")),
        ("Which year had more: 2020 or 2021?", ("2020", "2021")),
        ("Who won between Alba and Brent?", ("Alba", "Brent")),
        ("Which is it, a cat, or a dog?", ("cat", "dog")),
        ("Who was older?", None),
        ("Is it black or white, and why?", None),
    ],
)
def test_the_two_alternatives_of_a_question(question: str, options: tuple[str, str] | None) -> None:
    assert offered(question) == options


def chosen(question: str, gold: str) -> set[str]:
    return {one.fail for one in proposals(ground("", question, gold), operator="choice")}


def test_the_other_alternative_in_the_answers_own_form() -> None:
    question = "Which is older, the mill or the church?"
    assert chosen(question, "the mill") == {"the church"}
    assert chosen(question, "Church") == {"Mill"}
    assert chosen(question, "the bridge") == set()
    assert chosen("Which of them is older?", "the mill") == set()


def test_no_alternative_of_another_length() -> None:
    assert chosen("Which is it, oak or the tree that stands by the mill?", "oak") == set()
