"""Normal forms of text: what they forget (case, space, points) and what they must keep (the words)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import text

ANY = st.text(max_size=60)


@given(ANY)
def test_normalising_twice_changes_nothing_more(string: str) -> None:
    once = text.normalise(string)
    assert text.normalise(once) == once


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_case_space_and_points_do_not_matter(string: str) -> None:
    assert text.passage_key(string.upper()) == text.passage_key(string.lower())
    assert text.passage_key(f"\n {string} \t") == text.passage_key(string)
    assert text.passage_key(string.replace(" ", " \n ")) == text.passage_key(string)


@given(ANY)
def test_unicode_spellings_of_one_text_are_one(string: str) -> None:
    assert text.words(unicodedata.normalize("NFD", string)) == text.words(
        unicodedata.normalize("NFC", string)
    )


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=12))
def test_words_of_joined_words(tokens: list[str]) -> None:
    assert text.words(", ".join(tokens).title() + ".") == tokens
    assert text.normalise("  ".join(tokens)) == " ".join(tokens)


@pytest.mark.parametrize(
    ("string", "tokens"),
    [
        ("It cost 1,577.00 (3.5%).", ["it", "cost", "1,577.00", "3.5"]),
        ("IL-6, mg/kg and snake_case", ["il", "6", "mg", "kg", "and", "snake", "case"]),
        ("they didn't, John’s", ["they", "didn't", "john’s"]),
        ("at 5. Then 6, 7", ["at", "5", "then", "6", "7"]),
        ("Ångström ﬁne 東京", ["ångström", "fine", "東京"]),
        ("ΟΔΟΣ ΑΣ. Σ", ["οδος", "ας", "σ"]),
        ("—…!?", []),
    ],
)
def test_words(string: str, tokens: list[str]) -> None:
    assert text.words(string) == tokens


@given(ANY)
def test_squeeze_leaves_single_spaces_and_the_words(string: str) -> None:
    squeezed = text.squeeze(string)
    assert squeezed.split() == string.split()
    assert squeezed == " ".join(string.split())


@given(st.lists(ANY, max_size=4), st.lists(ANY, max_size=4))
def test_a_digest_tells_its_parts_apart(left: list[str], right: list[str]) -> None:
    assert (text.digest(*left) == text.digest(*right)) == (left == right)


@given(ANY, ANY)
def test_part_borders_count(left: str, right: str) -> None:
    assert text.digest(left + right) != text.digest(left, right)
    assert len(text.digest(left, right)) == 64


def test_a_digest_takes_lone_surrogates() -> None:
    assert text.digest("\ud800") != text.digest("\ud801")


def test_keys_differ_with_the_words() -> None:
    assert text.passage_key("The cat sat.") != text.passage_key("The cat sits.")
    assert text.passage_key("5.5") != text.passage_key("55")
    assert len(text.passage_key("")) == 16


@given(ANY)
def test_sentences_lose_nothing_but_space(string: str) -> None:
    found = text.sentences(string)
    assert "".join("".join(found).split()) == "".join(string.split())
    assert all(sentence == sentence.strip() != "" for sentence in found)


@pytest.mark.parametrize(
    ("string", "found"),
    [
        ("One came. Two left! Who? Me.", ["One came.", "Two left!", "Who?", "Me."]),
        ("Dr. Brandt met Mr. Venn. They left.", ["Dr. Brandt met Mr. Venn.", "They left."]),
        ("J. R. Venn of the U.S. Navy left.", ["J. R. Venn of the U.S. Navy left."]),
        ("It rose 5.5 points. 6 fell.", ["It rose 5.5 points.", "6 fell."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("See Fig. 3 and e.g. Table 2.", ["See Fig. 3 and e.g. Table 2."]),
        ("it ended. and went on", ["it ended. and went on"]),
        ("  \n ", []),
    ],
)
def test_sentences(string: str, found: list[str]) -> None:
    assert text.sentences(string) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("€310 million", "£310 million"),
        ("a change of -5", "a change of 5"),
        ("12 %", "12"),
    ],
)
def test_signs_tell_answers_apart(one: str, other: str) -> None:
    assert text.normalise(one) == text.normalise(other)
    assert text.answer_key(one) != text.answer_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("−5 °C.", "-5 °c"),
        ("A well-known 2019-2021 plan", "a well known 2019–2021 plan!"),
        ("(€310  million)", "€310 million"),
    ],
)
def test_spelling_does_not_tell_answers_apart(one: str, other: str) -> None:
    assert text.answer_key(one) == text.answer_key(other)
