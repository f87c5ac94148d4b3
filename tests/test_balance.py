"""Which twins are kept: one an item, no word on one side only, types even, the same for a seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench import balance
from halubench.perturb import definitions
from halubench.records import Candidate, Edit, Item, Rejected

KNOWN = definitions.load_all()
WORDY = {
    name: one.rule.words for name, one in KNOWN.items() if one.rule and one.rule.words
}  # fmt: skip
Pool = dict[str, list[Candidate]]


def twin(
    item_id: str,
    perturbation: str,
    old: str,
    new: str,
    source: str = "made",
    kept: str | None = None,
) -> Candidate:
    """A candidate of an item of its own; only its edit and its type matter here."""
    item = Item(source, item_id, "medical", f"passage {item_id}", "q?", "gold")
    edit = Edit(3, 3 + len(old), old, new)
    return Candidate(
        item=item,
        base=f"It {old}.",
        pass_answer=f"It {kept or old}.",
        fail_answer=f"It {new}.",
        fail_edit=edit,
        pass_edit=Edit(3, 3 + len(old), old, kept) if kept else None,
        perturbation=perturbation,
        relation="contradiction",
        level="L1",
        change_made=f"{old} -> {new}",
        generator="rules",
    )


def pooled(*found: Candidate) -> Pool:
    pool: Pool = {}
    for one in found:
        pool.setdefault(one.item.id, []).append(one)
    return pool


def many(count: int, seed: int = 0, skew: float = 0.5, source: str = "made") -> Pool:
    """Items with one to three candidates of any type; forward exchanges in a share of ``skew``."""
    draw = random.Random(seed)
    found: list[Candidate] = []
    for number in range(count):
        for place in range(draw.randint(1, 3)):
            name = draw.choice(sorted(KNOWN))
            if name in WORDY:
                old, new = draw.choice(WORDY[name][:4])
                pair = (old, new) if draw.random() < skew else (new, old)
            else:
                pair = (f"{number}", f"{number}{place + 1}")
            found.append(twin(f"{source}-{number}", name, *pair, source))
    return pooled(*found)


@dataclass(frozen=True)
class Chosen:
    """A choice, with the candidates themselves."""

    kept: list[Candidate]
    dropped: list[Rejected]


def choose(pool: Pool, accept: int, seed: int) -> Chosen:
    """What :func:`halubench.balance.choose` makes of the pool."""
    found = [one for candidates in pool.values() for one in candidates]
    lots: dict[str, list[balance.Lot]] = {}
    for place, one in enumerate(found):
        lots.setdefault(one.item.id, []).append(balance.Lot.of(one, place))
    chosen = balance.choose(lots, accept, seed)
    return Chosen([found[lot.place] for lot in chosen.kept], chosen.dropped)


def directions(kept: list[Candidate]) -> Counter[tuple[str, str]]:
    return Counter(
        ((one.pass_edit or one.fail_edit).new if one.pass_edit else one.fail_edit.old, one.fail_edit.new)
        for one in kept
        if one.perturbation in WORDY
    )  # fmt: skip


def assert_balanced(kept: list[Candidate], accept: int) -> None:
    counted = directions(kept)
    gaps = {frozenset(pair): abs(n - counted[pair[::-1]]) for pair, n in counted.items()}
    assert max(gaps.values(), default=0) <= 2
    assert sum(gaps.values()) <= balance.MAX_UNPAIRED * accept


@settings(max_examples=40)
@given(
    st.integers(0, 300), st.integers(0, 150), st.integers(0, 9), st.sampled_from([0.0, 0.2, 0.5, 1.0])
)  # fmt: skip
def test_kept_and_dropped_are_the_items_and_words_balance(
    count: int, accept: int, seed: int, skew: float
) -> None:
    pool = many(count, seed, skew)
    chosen = choose(pool, accept, seed)
    kept, dropped = [one.item.id for one in chosen.kept], [one.id for one in chosen.dropped]
    assert len(kept) == len(set(kept)) <= accept
    assert sorted(kept + dropped) == sorted(pool)
    assert all(one in pool[one.item.id] for one in chosen.kept)
    assert {one.stage for one in chosen.dropped} <= {"choose"}
    assert_balanced(chosen.kept, accept)


def test_the_order_of_the_items_does_not_matter_and_the_seed_does() -> None:
    pool = many(200) | many(150, source="other")
    turned = dict(reversed(pool.items()))
    first = choose(pool, 120, 7)
    assert choose(turned, 120, 7) == first
    other = choose(pool, 120, 8)
    assert {one.item.id for one in other.kept} != {one.item.id for one in first.kept}


def test_exchanges_of_one_direction_only_are_left_out_but_for_a_few() -> None:
    one_way = pooled(*(twin(str(n), "direction-flip", "rose", "fell") for n in range(100)))
    chosen = choose(one_way, 100, 0)
    assert len(chosen.kept) <= 2
    both = one_way | pooled(*(twin(f"b{n}", "direction-flip", "fell", "rose") for n in range(100)))
    kept = choose(both, 100, 0).kept
    assert directions(kept)["rose", "fell"] == directions(kept)["fell", "rose"] == 2


def test_articles_and_twins_do_not_hide_an_exchange() -> None:
    pool = pooled(
        *(twin(f"a{n}", "direction-flip", "a reduction", "an increase") for n in range(2)),
        *(twin(f"b{n}", "direction-flip", "Increase", "Reduction") for n in range(2)),
        *(twin(f"c{n}", "direction-flip", "x", "sank", kept="grew") for n in range(2)),
        *(twin(f"d{n}", "direction-flip", "y", "grew", kept="sank") for n in range(2)),
    )
    assert len(choose(pool, 8, 0).kept) == 8


def test_signs_added_and_dropped_balance() -> None:
    minus = [twin(f"m{n}", "sign-flip", f"-{n}", f"{n}") for n in range(1, 40)]
    plus = [twin(f"p{n}", "sign-flip", f"{n}", f"-{n}") for n in range(100, 110)]
    fill = [twin(f"f{n}", "amount-swap", f"{n}", f"{n}0") for n in range(1, 80)]
    kept = choose(pooled(*minus, *plus, *fill), 60, 0).kept
    added = sum(one.fail_edit.new.startswith("-") for one in kept)
    signed = sum(one.perturbation == "sign-flip" for one in kept)
    assert added > 0
    assert abs(signed - 2 * added) <= 2


@pytest.mark.parametrize("name", [name for name, one in KNOWN.items() if one.quota < 1])
def test_no_type_passes_its_quota(name: str) -> None:
    pairs = WORDY.get(name) or ((("-1", "1"),) if name == "sign-flip" else (("1", "2"),))
    own = [
        twin(f"{a}{n}", name, *((a, b) if n % 2 else (b, a))) for a, b in pairs for n in range(400)
    ]
    fill = [twin(f"f{n}", "number-swap", f"{n}", f"{n}0") for n in range(300)]
    kept = choose(pooled(*own, *fill), 200, 0).kept
    counted = Counter(one.perturbation for one in kept)
    assert len(kept) == 200
    assert 0 < counted[name] <= KNOWN[name].quota * 200 + 1


def test_types_are_kept_evenly() -> None:
    found = [
        twin(f"{name}{n}", name, f"{n}", f"{n}0")
        for name, count in (("number-swap", 400), ("percent-swap", 60), ("date-shift", 30))
        for n in range(count)
    ]
    counted = Counter(one.perturbation for one in choose(pooled(*found), 150, 0).kept)
    assert counted == {"number-swap": 60, "percent-swap": 60, "date-shift": 30}


def test_one_exchange_of_values_is_not_kept_over_and_over() -> None:
    same = [twin(str(n), "number-swap", "5", "7") for n in range(100)]
    assert len(choose(pooled(*same), 100, 0).kept) == 2


def test_a_type_too_rare_to_measure_is_left_out() -> None:
    found = [twin(f"n{n}", "number-swap", f"{n}", f"{n}0") for n in range(400)]
    found += [twin("rare", "date-shift", "1911", "1914")]
    kept = choose(pooled(*found), 300, 0).kept
    assert len(kept) == 300
    assert {one.perturbation for one in kept} == {"number-swap"}


def test_sources_share_evenly_as_far_as_they_can() -> None:
    pool: Pool = {}
    for source, count in (("big", 300), ("small", 10), ("middle", 300)):
        pool |= pooled(
            *(twin(f"{source}{n}", "number-swap", f"{n}", f"{n}0", source) for n in range(count))
        )
    counted = Counter(one.item.source_ds for one in choose(pool, 110, 0).kept)
    assert counted == {"big": 50, "middle": 50, "small": 10}


def test_the_reason_says_whether_enough_was_kept() -> None:
    found = [twin(f"n{n}", "number-swap", f"{n}", f"{n}0") for n in range(10)]
    assert {one.reason for one in choose(pooled(*found), 4, 0).dropped} == {"enough pairs accepted"}
    alone = [twin(f"n{n}", "direction-flip", "rose", "fell") for n in range(10)]
    [reason] = {one.reason for one in choose(pooled(*alone), 10, 0).dropped}
    assert "no partner" in reason


def test_a_quota_holds_for_what_is_kept_not_for_what_was_wanted() -> None:
    flips = [twin(f"c{n}", "conclusion-flip", *("yes", "no")[:: (-1) ** n]) for n in range(80)]
    swaps = [twin(f"n{n}", "number-swap", f"{n + 20}", f"{n + 600}") for n in range(40)]
    chosen = choose(pooled(*flips, *swaps), 1000, 0)
    share = Counter(one.perturbation for one in chosen.kept)["conclusion-flip"] / len(chosen.kept)
    assert share <= KNOWN["conclusion-flip"].quota + 0.03
    assert {one.reason for one in chosen.dropped} == {
        "no partner that balances its words, or quota full"
    }


def test_of_like_candidates_the_one_goes_first_whose_edit_breaks_the_least_of_a_quote() -> None:
    copied = "The cart of the old mill was drawn by two grey horses over the hill to the sea"
    loose = "Over some hill towards a sea there went two horses and one mill cart of old"

    def of(number: int, base: str, word: str) -> Candidate:
        old, new = f"{number + 20}", f"{number + 600}"
        passage, base = copied.replace("grey", old) + ".", base.replace(word, old)
        at, item = base.index(old), Item("made", f"i{number:02}", "medical", passage, "q?", "gold")
        wrong = base[:at] + new + base[at + len(old) :]
        edit = Edit(at, at + len(old), old, new)
        return replace(twin(item.id, "number-swap", old, new), item=item, base=base,
                       pass_answer=base, fail_answer=wrong, fail_edit=edit)  # fmt: skip

    pool = [of(n, copied, "grey") if n % 2 else of(n, loose, "there") for n in range(30)]
    kept = choose(pooled(*pool), 15, 0).kept
    assert {one.base.split()[0] for one in kept} == {"Over"}
