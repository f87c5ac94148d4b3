"""Shortcut features of single rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import shortcuts, text
from halubench.records import Example, Row


def row(answer: str, passage: str = "Revenue rose 7.50 % to 1,577 million in 2021.") -> Row:
    return Row("id", passage, "How much?", answer, "src")


def test_length_counts_characters_not_bytes_or_words() -> None:
    assert shortcuts.length(row("été 7")) == 5


def test_an_example_and_its_blind_row_have_the_same_features() -> None:
    example = Example("i", "A b c.", "q", "a b", "FAIL", "s")
    assert shortcuts.overlap(example) == shortcuts.overlap(example.blind()) == 1.0


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("", 0.0),
        ("Revenue rose", 1.0),
        ("revenue fell", 0.5),
        ("…", 0.0),
        ("REVENUE sank fell", 1 / 3),
    ],
)
def test_overlap_is_the_share_of_answer_words_in_the_passage(answer: str, share: float) -> None:
    assert shortcuts.overlap(row(answer)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("no number here", 1.0),
        ("1577", 1.0),
        ("7.5 %", 1.0),
        ("7.51 %", 0.0),
        ("2021 and 2022", 0.5),
        ("57,54", 0.0),
        ("7", 0.0),
    ],
)
def test_numbers_compares_values_and_not_spellings(answer: str, share: float) -> None:
    assert shortcuts.numbers(row(answer)) == pytest.approx(share)


def test_a_list_of_numbers_is_not_read_as_one_comma_grouped_number() -> None:
    assert shortcuts.numbers(row("57,54", "He threw 57 and 54 yards.")) == 1.0


@pytest.mark.parametrize(
    ("tokens", "passage", "run"),
    [
        (["b", "c", "x"], "a b c d", 2),
        (["x"], "a b", 0),
        ([], "a", 0),
        (["a", "x", "b", "c", "d"], "a b c d", 3),
        (["a"], "ab", 0),
    ],
)
def test_longest_run_respects_word_borders(tokens: list[str], passage: str, run: int) -> None:
    assert shortcuts.longest_run(tokens, f" {passage} ") == run


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_longest_run_equals_the_naive_search(tokens: list[str], passage: list[str]) -> None:
    naive = max(
        (
            end - start
            for start in range(len(tokens))
            for end in range(start + 1, len(tokens) + 1)
            if any(
                passage[i : i + end - start] == tokens[start:end] for i in range(len(passage) + 1)
            )
        ),
        default=0,
    )
    assert shortcuts.longest_run(tokens, f" {' '.join(passage)} ") == naive


_TEXTS = st.lists(st.sampled_from(["a", "ab", "b", "ba", "1", "1,2", "été"]), max_size=9).map(
    " ".join
)


@given(_TEXTS, _TEXTS)
def test_coverage_counts_whole_words_and_pairs_of_neighbours(answer: str, passage: str) -> None:
    tokens, known = answer.split(), passage.split()
    pairs, near = list(pairwise(tokens)), list(pairwise(known))
    unigrams = sum(one in known for one in tokens) / len(tokens) if tokens else 0.0
    bigrams = sum(one in near for one in pairs) / len(pairs) if pairs else unigrams
    assert shortcuts.coverage(answer, passage)[:2] == (unigrams, bigrams)


@given(st.text(max_size=60), st.text(max_size=120))
def test_shares_stay_in_the_unit_interval_and_agree(answer: str, passage: str) -> None:
    one = row(answer, passage)
    table = shortcuts.overlap_features([one])
    assert table.shape == (1, 3)
    assert ((table >= 0) & (table <= 1)).all()
    assert table[0, 0] == shortcuts.overlap(one)
    assert 0 <= shortcuts.numbers(one) <= 1


@given(st.text(min_size=1, max_size=80))
def test_an_answer_copied_whole_is_covered_whole(copied: str) -> None:
    covered = shortcuts.overlap_features([row(copied, f"before {copied} after")])[0]
    if text.words(f"before {copied} after") == [
        "before",
        *text.words(copied),
        "after",
    ] and text.words(copied):
        assert covered.tolist() == [1.0, 1.0, 1.0]


def surface(answer: str, name: str) -> float:
    return float(shortcuts.surface_features([row(answer)])[0][list(shortcuts.SURFACE).index(name)])


@pytest.mark.parametrize("answer", ["56, 56", "Ravens, Ravens", "12-yard; 12-yard", "a b, a b"])
def test_repeated_spans_are_seen(answer: str) -> None:
    assert surface(answer, "repeated spans such as '56, 56'") == 1.0


@pytest.mark.parametrize("answer", ["56, 565", "56, 57", "fifty-six", "5,656", "the cat, the dog"])
def test_spans_that_differ_are_no_repeat(answer: str) -> None:
    assert surface(answer, "repeated spans such as '56, 56'") == 0.0


@pytest.mark.parametrize("answer", ["['57', '54']", '["a"]', "[3, 4]"])
def test_list_text_is_seen(answer: str) -> None:
    assert surface(answer, "list marks such as ['") == 1.0


@pytest.mark.parametrize("answer", ["57, 54", "see [note]", "it's"])
def test_ordinary_text_has_no_list_marks(answer: str) -> None:
    assert surface(answer, "list marks such as ['") == 0.0


def test_decimals_groups_and_end_marks() -> None:
    assert surface("It was 3.5 of 1,577.", "decimals") == 1
    assert surface("It was 3.5 of 1,577.", "comma-grouped numbers") == 1
    assert surface("It was 3.5 of 1,577.", "full stops") == 1
    assert surface("It was 3.5 of 1,577.", "full stop at the end") == 1


@given(st.text(max_size=200))
def test_surface_features_are_finite_for_any_text(answer: str) -> None:
    assert np.isfinite(shortcuts.surface_features([row(answer)])).all()
