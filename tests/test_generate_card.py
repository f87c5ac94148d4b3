"""The card's parts: licences are joined and never assumed; edits are marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.generate.card import marked
from halubench.licences import hub_ids, sentence, strictest

NAMES = st.sampled_from(["MIT", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-SA-4.0", "own", "", "CC0-1.0"])


@pytest.mark.parametrize(
    ("named", "worst"),
    [
        (["MIT", "CC-BY-4.0"], "CC-BY-4.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
        (["CC0-1.0", "Apache-2.0", "CC-BY-SA-3.0"], "CC-BY-SA-3.0"),
        (["CC-BY-NC-ND-4.0", "house rules"], "house rules"),
    ],
)
def test_the_strictest_licence_is_named(named, worst):
    assert strictest(named) == worst
    assert worst in sentence(named)


def test_an_unknown_licence_is_other_with_a_sentence():
    assert hub_ids([""]) == ["other"]
    assert "No source names a licence" in sentence([""])
    assert "ask the owner" in sentence(["house rules"])


@given(st.lists(NAMES, min_size=1))
def test_no_licence_is_made_up_or_lost(named):
    known = {one.lower() for one in named}
    assert all(one == "other" or one in known for one in hub_ids(named))
    assert all(one in sentence(named) for one in named)


@given(st.lists(st.sampled_from("abc"), min_size=1), st.lists(st.sampled_from("abc"), min_size=1))
def test_marking_changes_no_word(left, right):
    one, other = marked(" ".join(left), " ".join(right))
    assert one.replace("**∅**", "").replace("*", "").split() == left
    assert other.replace("**∅**", "").replace("*", "").split() == right


def test_only_what_differs_is_marked():
    assert marked("It rose 7 % there.", "It fell 7 % there.") == (
        "It **rose** 7 % there.",
        "It **fell** 7 % there.",
    )
