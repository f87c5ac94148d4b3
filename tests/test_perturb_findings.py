"""A conclusion that says more than its passage: the passage's own finding is said in its place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from perturb_world import item

from halubench.perturb import findings, restate
from halubench.perturb.base import Statement
from halubench.records import Item, Rejected
from halubench.text import normalise

AIM = "We sought to determine whether the new sole prevents blisters in walkers."
METHOD = "Half of the 400 walkers were given the new sole for two weeks."
FOUND = "Blisters were seen in 12% of walkers with the new sole and 31% of the others."
MORE = "These did not differ by age. Shoes cost 40 francs a pair in all of the shops there."
QUESTION = "Does the new sole prevent blisters?"
GOLD = "The new sole prevents blisters in walkers, and every army should buy it at once."


def concluded(*sections: str, gold: str = GOLD, question: str = QUESTION, **meta: object) -> Item:
    told = {"answer_type": "conclusion", **meta}
    return item("\n\n".join(sections), question, gold, domain="medical", meta=told)


def test_the_finding_is_the_passage_s_own_sentence_about_what_was_asked() -> None:
    one = concluded(AIM, METHOD, f"{MORE} {FOUND}")
    statement = restate.restate(one, "restate")
    assert isinstance(statement, Statement)
    told = normalise(statement.text[statement.start : statement.end])
    assert "blisters were seen in 12 of walkers" in told
    assert "army" not in statement.text


def test_neither_aim_nor_method_nor_what_leans_on_another_sentence_is_a_finding() -> None:
    leaning = "This sole thus prevented most of the blisters of the walkers there."
    assert findings.finding(concluded(AIM)) == ""
    assert (
        findings.finding(concluded(AIM, f"{leaning} {METHOD.replace('given', 'divided by')}")) == ""
    )


def test_a_conclusion_without_a_finding_becomes_yes_or_no_or_leaves_with_its_reason() -> None:
    bare = concluded(AIM, MORE)
    found = restate.restate(bare, "restate")
    assert isinstance(found, Rejected)
    assert (found.stage, found.reason) == ("anchor", findings.NONE)
    said = restate.restate(concluded(AIM, MORE, final_decision="yes"), "restate")
    assert isinstance(said, Statement)
    assert said.text[said.start : said.end] == "yes"


def test_bare_gold_answers_stay_as_published() -> None:
    one = concluded(
        AIM, FOUND, gold="The new sole prevents blisters in most walkers.", final_decision="yes"
    )
    statement = restate.restate(one, "none")
    assert isinstance(statement, Statement)
    assert statement.text == one.answer


@given(st.lists(st.sampled_from([AIM, METHOD, FOUND, MORE, "", "\n"]), max_size=6))
def test_a_finding_stands_in_its_passage_word_for_word(parts: list[str]) -> None:
    one = concluded(*parts)
    assert normalise(findings.finding(one)) in normalise(one.passage)
