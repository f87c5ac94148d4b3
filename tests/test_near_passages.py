"""Groups of equal and nearly equal passages."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench import near, text

WORDS = [f"word{i}" for i in range(400)]


def passage(seed: int, length: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def edited(original: str, at: int = 100) -> str:
    tokens = original.split()
    return " ".join([*tokens[:at], "changed", *tokens[at + 1 :]])


def shingles(string: str) -> set[tuple[str, ...]]:
    tokens = text.words(string)
    return {tuple(tokens[i : i + 5]) for i in range(max(1, len(tokens) - 4))}


def exact_jaccard(one: str, other: str) -> float:
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def exact_share(one: str, other: str) -> float:
    first, second = shingles(one), shingles(other)
    shared = len(first & second)
    return shared / (2 * min(len(first), len(second)) - shared)


def test_key_of_a_lone_passage_is_its_passage_key() -> None:
    lone = passage(1)
    assert near.groups([lone]) == [text.passage_key(lone)]


def test_case_space_and_punctuation_do_not_matter() -> None:
    keys = near.groups(["The cat sat, on the mat!", "  the CAT sat on\nthe mat", "The dog sat."])
    assert keys[0] == keys[1] != keys[2]


def test_near_duplicates_share_the_smallest_key() -> None:
    one, other, far = passage(1), edited(passage(1)), passage(2)
    keys = near.groups([one, other, far])
    assert keys[0] == keys[1] == min(text.passage_key(one), text.passage_key(other))
    assert keys[2] == text.passage_key(far)


def test_groups_are_linked_through_a_third_passage() -> None:
    first = passage(3)
    second = " ".join([*first.split()[18:], *WORDS[:18]])
    third = " ".join([*second.split()[18:], *WORDS[18:36]])
    assert (
        exact_jaccard(first, third)
        < 0.8
        <= min(exact_jaccard(first, second), exact_jaccard(second, third))
    )
    assert len(set(near.groups([first, second, third]))) == 1
    assert len(set(near.groups([first, third]))) == 2


def test_equal_minhashes_are_as_frequent_as_the_jaccard_index_says() -> None:
    gaps = []
    for seed in range(60):
        one = passage(seed)
        other = " ".join([*one.split()[seed:], *WORDS[:seed]])
        same = near._minhash(near._shingled(one)) == near._minhash(near._shingled(other))
        gaps.append(same.mean() - exact_jaccard(one, other))
    assert abs(np.mean(gaps)) < 0.02
    assert np.std(gaps) < 0.06


def test_a_long_passage_is_hashed_in_parts_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    unique = near._shingled(passage(1, 1000))
    whole = near._minhash(unique)
    monkeypatch.setattr(near, "_PART", 7)
    assert np.array_equal(near._minhash(unique), whole)


@pytest.mark.parametrize("changed", range(0, 20, 2))
def test_threshold_is_the_exact_jaccard_index(changed: int) -> None:
    one = passage(5)
    other = one
    for i in range(changed):
        other = edited(other, 5 + 9 * i)
    same = len(set(near.groups([one, other]))) == 1
    assert same == (exact_jaccard(one, other) >= 0.8)


def test_groups_are_the_linked_parts_of_all_near_pairs() -> None:
    draw, chains = random.Random(5), [passage(seed) for seed in (11, 12, 13)]
    for _ in range(60):  # each one or two words away from one before it
        tokens = draw.choice(chains).split()
        for place in draw.sample(range(200), draw.randint(1, 3)):
            tokens[place] = draw.choice(WORDS)
        chains.append(" ".join(tokens))
    draw.shuffle(chains)
    linked = {i: {i} for i in range(len(chains))}
    for i, j in combinations(range(len(chains)), 2):
        if linked[i] is not linked[j] and exact_jaccard(chains[i], chains[j]) >= 0.8:
            linked[i] |= linked[j]
            linked.update(dict.fromkeys(linked[j], linked[i]))
    keys = [min(text.passage_key(chains[j]) for j in linked[i]) for i in range(len(chains))]
    assert near.groups(chains) == keys


@pytest.mark.parametrize("empty", [["", ""], ["", "?!"], ["one", "ONE."]])
def test_empty_and_short_passages_are_compared_whole(empty: list[str]) -> None:
    assert len(set(near.groups([*empty, "two"]))) == 2


def test_no_passages_give_no_groups() -> None:
    assert near.groups([]) == []


pool = [passage(i, 60) for i in range(4)]
pool += [edited(each, 30) for each in pool] + ["", "short one", "Short  ONE."]
drawn = st.lists(st.sampled_from(pool), max_size=10)


@settings(max_examples=40, deadline=None)
@given(drawn, st.randoms(use_true_random=False))
def test_groups_are_a_partition_that_no_order_changes(
    passages: list[str], rng: random.Random
) -> None:
    keys = dict(zip(passages, near.groups(passages), strict=True))
    shuffled = list(passages)
    rng.shuffle(shuffled)
    assert dict(zip(shuffled, near.groups(shuffled), strict=True)) == keys
    for each, key in keys.items():
        assert key == min(text.passage_key(other) for other in passages if keys[other] == key)
        assert all(
            keys[other] == key
            for other in passages
            if text.normalise(other) == text.normalise(each)
        )


@settings(max_examples=40, deadline=None)
@given(drawn, drawn)
def test_overlap_is_symmetric_and_complete(passages: list[str], others: list[str]) -> None:
    there = {passages[hit.index] for hit in near.overlapping(passages, others)}
    back = {others[hit.index] for hit in near.overlapping(others, passages)}
    expected = {
        one for one in passages if any(exact_jaccard(one, other) >= 0.8 for other in others)
    }
    expected_back = {
        one for one in others if any(exact_jaccard(one, other) >= 0.8 for other in passages)
    }
    assert there == expected
    assert back == expected_back


def test_overlap_names_the_nearest_and_the_text_they_share() -> None:
    one = passage(7)
    others = [passage(8), edited(one, 150), edited(edited(one, 20), 150)]
    (hit,) = near.overlapping([passage(9), one], others)
    assert (hit.index, hit.other_index) == (1, 1)
    assert hit.share == pytest.approx(exact_share(one, others[1]))
    assert hit.shared_text in text.normalise(one)
    assert hit.shared_text in text.normalise(others[1])
    assert len(hit.shared_text.split()) == 40


@pytest.mark.parametrize(
    ("start", "words", "found"), [(0, 120, True), (250, 40, True), (300, 10, False)]
)
def test_a_part_of_enough_words_and_its_document_find_each_other(
    start: int, words: int, found: bool
) -> None:
    document = " ".join(passage(i, 100) for i in range(4))
    part = " ".join(document.split()[start : start + words])
    others = [passage(20), document]
    for one, known in ((part, others), (document, [passage(20), part])):
        hits = [(hit.other_index, hit.share) for hit in near.overlapping([one], known)]
        assert hits == ([(1, 1.0)] if found else [])


def test_the_same_passage_is_nearer_than_a_document_that_holds_it() -> None:
    one = passage(7)
    (hit,) = near.overlapping([one], [f"{passage(8)} {one}", one])
    assert (hit.other_index, hit.share) == (1, 1.0)


def test_a_part_that_was_half_rewritten_is_no_part() -> None:
    document = " ".join(passage(i, 100) for i in range(4))
    words = document.split()[:100]
    assert near.overlapping([" ".join(words[:90] + passage(30, 10).split())], [document])
    assert not near.overlapping([" ".join(words[:50] + passage(30, 50).split())], [document])


def test_repeated_passages_are_each_reported() -> None:
    one = passage(7)
    assert [hit.index for hit in near.overlapping([one, one], [one])] == [0, 1]


def test_long_passages_are_told_apart_by_what_differs() -> None:
    rng = np.random.default_rng(0)
    long = " ".join(rng.choice(WORDS, 10_000))
    half = " ".join([*long.split()[:5_000], *rng.choice(WORDS, 5_000)])
    keys = near.groups([long, edited(long), half])
    assert keys[0] == keys[1] != keys[2]
