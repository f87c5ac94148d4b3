"""Gates at every position of value and interval; edits and types against hand-counted values."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from audit_twins import twins
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench.audit import checks, gates, pairs
from halubench.audit.page import CUT, _cut, _number
from halubench.audit.report import Probe
from halubench.audit.rows import Rows
from halubench.near import Overlap
from halubench.records import Example, Provenance

BLANK = Provenance(*[""] * 16, 0, "", 0.0, "")  # type: ignore[arg-type]
WORDS = st.lists(st.sampled_from(["a", "b", "7", "1,577", "%"]), max_size=7)


def row(number: int, label: str = "PASS", **fields: str) -> Example:
    base = Example(f"r{number}", f"passage {number}", "q?", f"answer {number}", "PASS", "s")
    return replace(base, label=label, **fields)  # type: ignore[arg-type]


def rows_of(*examples: Example) -> Rows:
    return Rows.of(examples, 0)


def origin(example: Example, pair: str, kind: str = "") -> tuple[str, Provenance]:
    return example.id, replace(BLANK, id=example.id, pair_id=pair, perturbation=kind)


def twinned(*answers: tuple[str, str]) -> tuple[Rows, pairs.Context]:
    """One pair for each (PASS answer, FAIL answer), with provenance."""
    examples, known = [], {}
    for number, both in enumerate(answers):
        for side, (label, answer) in enumerate(zip(("PASS", "FAIL"), both, strict=True)):
            each = row(2 * number + side, label, passage=f"p{number}", answer=answer)
            examples.append(each)
            known |= [origin(each, f"pair{number}", "number" if label == "FAIL" else "")]
    return rows_of(*examples), pairs.Context(known)


# (value, low, high) of a probe against a one-sided gate of at most .60
ONE_SIDED = [
    (0.40, 0.30, 0.45, "pass"),
    (0.50, 0.45, 0.55, "pass"),
    (0.599, 0.58, 0.62, "pass"),
    (0.60, 0.59, 0.61, "pass"),
    (0.601, 0.55, 0.65, "fail"),
    (0.601, 0.50, 0.70, "undecided"),
    (0.601, 0.49, 0.70, "undecided"),
    (0.601, 0.501, 0.70, "fail"),
    (0.90, 0.85, 0.95, "fail"),
    (0.90, 0.40, 1.00, "undecided"),
    (1.00, 1.00, 1.00, "fail"),
    (0.00, 0.00, 0.00, "pass"),
]
# the same against a two-sided gate of .45 to .55
TWO_SIDED = [
    (0.45, 0.40, 0.48, "pass"),
    (0.50, 0.40, 0.60, "pass"),
    (0.55, 0.51, 0.60, "pass"),
    (0.449, 0.40, 0.49, "fail"),
    (0.449, 0.40, 0.50, "undecided"),
    (0.449, 0.40, 0.51, "undecided"),
    (0.551, 0.51, 0.60, "fail"),
    (0.551, 0.50, 0.60, "undecided"),
    (0.10, 0.05, 0.15, "fail"),
    (0.90, 0.85, 0.95, "fail"),
]


@pytest.mark.parametrize(
    ("bounds", "case"),
    [((0.0, 0.60), case) for case in ONE_SIDED] + [((0.45, 0.55), case) for case in TWO_SIDED],
)
def test_gate_status_for_every_position(
    bounds: tuple[float, float], case: tuple[float, float, float, str]
) -> None:
    value, low, high, status = case
    probe = Probe(name="answer", auroc=value, low=low, high=high, rows=99, note="a note")
    gate = gates.probe_gate(probe, "s", *bounds)
    assert gate.status == status
    assert (gate.value, gate.scope, gate.low, gate.high) == (value, "s", *bounds)
    assert ("too few rows" in gate.reason) == (status == "undecided")


@pytest.mark.parametrize(
    "probe",
    [
        Probe(name="answer", auroc=None, note="9 rows"),
        Probe(name="answer", auroc=0.5, low=None, high=0.6, note="9 rows"),
        Probe(name="answer", auroc=0.9, low=0.8, high=None, note="9 rows"),
    ],
)
def test_a_probe_without_value_or_interval_is_undecided_and_says_why(probe: Probe) -> None:
    gate = gates.probe_gate(probe, "s", 0.0, 0.6)
    assert (gate.status, gate.reason) == ("undecided", "9 rows")


@pytest.mark.parametrize(
    ("low", "high", "limit"),
    [(0.0, 0.6, "at most 0.60"), (0.45, 0.55, "0.45 to 0.55"), (0.0, 0.652, "at most 0.65")],
)
def test_the_limit_is_told_by_its_sides(low: float, high: float, limit: str) -> None:
    probe = Probe(name="answer", auroc=0.5, low=0.4, high=0.6)
    assert gates.probe_gate(probe, "s", low, high).limit == limit
    assert gates.probe_gate(probe, "s", low, high, "My name").name == "My name"


@given(st.floats(0, 1), st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), st.floats(0.5, 1))
def test_a_wider_gate_never_turns_a_pass_into_a_failure(value, interval, high) -> None:
    probe = Probe(name="answer", auroc=value, low=interval[0], high=interval[1])
    narrow = gates.probe_gate(probe, "s", 0.4, high).status
    wide = gates.probe_gate(probe, "s", 0.0, 1.0).status
    assert wide == "pass"
    assert (narrow == "pass") == (0.4 <= value <= high)
    assert narrow != "fail" or not interval[0] <= 0.5 <= interval[1]


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("a b", "a b", 0),
        ("a b", "b a", 1),
        ("a b c d", "a x c d", 0.25),
        ("a b c d", "a c d", 0.25),
        ("a b c d", "a b x c d", 0.2),
        ("in 1,577 days", "in 1577 days", 1 / 3),
        ("$3.5", "$3.6", 0.5),
        ("yes.", "yes!", 0.5),
        ("The Ravens", "the Ravens", 0.5),
        ("a  b", "a b", 0),
        ("don't", "don’t", 1 / 3),
        ("kitten", "sitting", 1),
        ("2 of 3 (66.7 %)", "1 of 3 (33.3 %)", 2 / 7),
    ],
)
def test_edit_share_by_hand(one: str, other: str, share: float) -> None:
    assert pairs.edit_share(one, other) == pytest.approx(share)


@given(WORDS, WORDS, WORDS)
def test_edit_share_is_a_bounded_distance(one, other, third) -> None:
    a, b, c = map(" ".join, (one, other, third))
    assert pairs.edit_share(a, b) == pairs.edit_share(b, a)
    assert 0 <= pairs.edit_share(a, b) <= 1
    assert (pairs.edit_share(a, b) == 0) == (one == other)
    steps = [pairs._distance(x, y) for x, y in ((one, other), (other, third), (one, third))]
    assert steps[2] <= steps[0] + steps[1]
    assert pairs.edit_share(f"{a} {c}", f"{b} {c}") <= pairs.edit_share(a, b)


def test_only_complete_pairs_have_an_edit_share() -> None:
    rows, context = twinned(("a b", "a c"), ("x y z", "x y z"), ("1", "2"))
    assert pairs.edit_shares(rows, context) == [0.5, 0, 1]
    assert pairs.edit_shares(rows.where(rows.fail), context) == []
    assert pairs.edit_shares(rows, pairs.Context()) == []
    without = dict(context.provenance)
    del without["r0"]
    assert pairs.edit_shares(rows, pairs.Context(without)) == [0, 1]


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ([], None),
        ([5], 0.0),
        ([1, 1], 1.0),
        ([7, 7, 7], 1.0),
        ([3, 1], -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)),
        ([2, 1, 1], 1.5 / math.log2(3)),
        ([4, 2, 1, 1], 1.75 / 2),
    ],
)
def test_type_entropy_by_hand(counts: list[int], value: float | None) -> None:
    names = [f"t{i}" for i, count in enumerate(counts) for _ in range(count)]
    assert pairs.type_entropy(np.array(names, dtype=str)) == pytest.approx(value)
    padded = np.array([*names, "", ""], dtype=str)
    assert pairs.type_entropy(padded) == pytest.approx(value)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=30), st.integers(2, 4))
def test_type_entropy_is_a_share_that_repetition_does_not_change(names, times) -> None:
    value = pairs.type_entropy(np.array(names))
    assert value is not None
    assert -1e-12 <= value <= 1 + 1e-12
    assert pairs.type_entropy(np.array(names * times)) == pytest.approx(value)


def test_types_are_empty_without_provenance_or_without_the_fail_twin() -> None:
    rows, context = twinned(("1", "2"), ("3", "4"))
    assert pairs.types(rows, context).tolist() == ["number"] * 4
    assert pairs.types(rows.where(~rows.fail), context).tolist() == ["", ""]
    assert pairs.types(rows, pairs.Context()).tolist() == [""] * 4


def edit_gate(answers: list[tuple[str, str]]):
    rows, context = twinned(*answers)
    found = gates.pair_gates(rows, "s", context)
    return next(gate for gate in found if gate.name.startswith("Pairs"))


@pytest.mark.parametrize(
    ("small", "large", "status"),
    [(20, 0, "pass"), (19, 1, "pass"), (18, 2, "fail"), (19, 0, "undecided"), (0, 20, "fail")],
)
def test_the_edit_gate_counts_small_edits_over_enough_pairs(
    small: int, large: int, status: str
) -> None:
    gate = edit_gate([("a b c d e", "a b c d f")] * small + [("a b", "c d")] * large)
    assert gate.status == status
    assert gate.value == pytest.approx(small / (small + large))
    assert bool(gate.reason) == (status == "undecided")


def test_provenance_of_other_rows_decides_nothing() -> None:
    rows, _ = twinned(("1", "2"))
    stranger = pairs.Context(dict([origin(row(99), "pair")]))
    gate = gates.pair_gates(rows, "s", stranger)[0]
    assert (gate.status, gate.value) == ("undecided", None)
    assert gate.reason


def test_no_context_gives_no_pair_gate_and_one_split_no_leakage_gate() -> None:
    rows, _ = twinned(("1", "2"))
    assert gates.pair_gates(rows, "s", pairs.Context()) == []
    whole = pairs.Context(splits={e.id: "test" for e in rows.examples})
    assert gates.pair_gates(rows, "s", whole) == []


@pytest.mark.parametrize(
    ("splits", "leaking"),
    [
        (["a", "a", "b", "b"], []),
        (["a", "b", "a", "a"], [0, 1]),
        (["a", "b", "b", "a"], [0, 1, 2, 3]),
        (["a", None, "b", "b"], []),
        ([None] * 4, []),
    ],
)
def test_leaking_rows_are_those_of_a_passage_in_two_splits(splits, leaking: list[int]) -> None:
    rows, _ = twinned(("1", "2"), ("3", "4"))
    known = {e.id: split for e, split in zip(rows.examples, splits, strict=True) if split}
    context = pairs.Context(splits=known)
    assert pairs.leaking(rows, context) == leaking
    for gate in gates.pair_gates(rows, "s", context):
        assert gate.value == len(leaking)
        assert (gate.status, gate.kind) == ("fail" if leaking else "pass", "leakage")


def test_contaminated_rows_are_numbered_within_the_scope() -> None:
    rows, _ = twinned(("1", "2"), ("3", "4"))
    hits = {n: Overlap(n, 0, 1.0, "p1") for n in (2, 3)}
    context = pairs.Context(hits={"other": hits, "none": {}})
    assert pairs.contaminated(rows, context) == {"other": [2, 3], "none": []}
    second = rows.where(np.array([False, False, False, True]))
    assert pairs.contaminated(second, context)["other"] == [0]
    status = {gate.name: gate.status for gate in gates.pair_gates(rows, "s", context)}
    assert status == {"Rows also in other": "fail", "Rows also in none": "pass"}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["x", "X", "x!", "y"]),
                          st.sampled_from(["PASS", "FAIL"])), min_size=1, max_size=12))  # fmt: skip
def test_duplicate_counts_add_up_to_all_rows(drawn) -> None:
    examples = [row(i, label, passage=f"p{p}", answer=a) for i, (p, a, label) in enumerate(drawn)]
    counts, found = checks.duplicates(rows_of(*examples), "s")
    assert counts.unique + counts.exact + counts.normalised == len(examples)
    assert counts.unique == len({(p, a.lower().strip("!")) for p, a, _ in drawn})
    assert counts.exact == len(drawn) - len({(p, a) for p, a, _ in drawn})
    told = [finding for finding in found if finding.kind == "contradiction"]
    assert bool(told) == bool(counts.contradictory)
    assert all(len(finding.ids) <= checks.SHOWN for finding in found)


@pytest.mark.parametrize(
    ("fails", "passes", "severity", "label"),
    [
        (50, 50, None, None),
        (55, 45, None, None),
        (56, 44, "low", "FAIL"),
        (35, 65, "low", "PASS"),
        (66, 34, "medium", "FAIL"),
        (0, 3, "medium", "PASS"),
    ],
)
def test_balance_is_told_beyond_55_percent(fails, passes, severity, label) -> None:
    labels = ["FAIL"] * fails + ["PASS"] * passes
    rows = rows_of(*(row(i, each, passage="p") for i, each in enumerate(labels)))
    found = checks.balance(rows, "s")
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    if severity:
        share = max(fails, passes) / len(labels)
        assert f"{share:.1%} of the rows are {label}" in found[0].text


def test_ids_that_repeat_are_counted_once_each_by_name() -> None:
    rows = rows_of(row(1), row(1), row(1), row(2), row(2), row(3))
    (found,) = checks.ids(rows, "s")
    assert (found.rows, found.ids) == (5, ("r1", "r2"))
    assert checks.ids(rows_of(row(1), row(2)), "s") == []


def marked(fails: int, passes: int, plain: int = 60) -> Rows:
    """Rows with a semicolon by label, and as many plain ones of either label as asked."""
    made = [("FAIL", "a; b")] * fails + [("PASS", "a; b")] * passes
    made += [("FAIL", "a b"), ("PASS", "a b")] * (plain // 2)
    return rows_of(*(row(i, x, passage="p", answer=a) for i, (x, a) in enumerate(made)))


@pytest.mark.parametrize(
    ("fails", "passes", "told"),
    [(30, 0, True), (0, 30, True), (15, 15, False), (9, 0, False), (18, 12, False)],
)
def test_marks_are_told_where_they_lean_far_enough(fails: int, passes: int, told: bool) -> None:
    found = [f for f in checks.marks(marked(fails, passes), "s") if "semicolons" in f.text]
    assert bool(found) == told
    if told:
        label = "FAIL" if fails else "PASS"
        assert found[0].text == f"30 answers have semicolons and colons: 100% of them are {label}."
        assert found[0].severity == "high"


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), min_size=1, max_size=40))
def test_the_length_histogram_holds_every_row_once(drawn) -> None:
    examples = [
        row(i, "FAIL" if fail else "PASS", passage="p", answer="x" * size)
        for i, (size, fail) in enumerate(drawn)
    ]
    found = checks.lengths(rows_of(*examples))
    fails = sum(fail for _, fail in drawn)
    assert (sum(found.n_fail), sum(found.n_pass)) == (fails, len(drawn) - fails)
    assert len(found.edges) == len(found.n_pass) + 1 == len(found.n_fail) + 1
    assert list(found.edges) == sorted(set(found.edges))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.5, "0.500"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (2.0, "2"),
        (1577.0, "1,577"),
        (0.12345, "0.123"),
        (1.5, "1.500"),
    ],
)
def test_numbers_on_the_page(value: float | None, text: str) -> None:
    assert _number(value) == text


@pytest.mark.parametrize("extra", [-1, 0, 1, 1577])
def test_long_texts_are_cut_and_say_by_how_much(extra: int) -> None:
    text = "x" * (CUT + extra)
    if extra <= 0:
        assert _cut(text) == text
    else:
        assert _cut(text) == f"{text[:CUT]} … ({extra:,} more characters)"


def test_a_type_of_too_few_rows_is_undecided_and_one_of_enough_is_measured() -> None:
    examples = twins(40)
    passages = sorted({e.passage for e in examples})
    kind = {p: "rare" if i < 5 else "common" for i, p in enumerate(passages)}
    known = dict(origin(e, e.passage, kind[e.passage]) for e in examples)
    found = {g.name: g for g in gates.type_gates(rows_of(*examples), pairs.Context(known))}
    rare, common = (found[f"Answer only, type {name}"] for name in ("rare", "common"))
    assert (rare.status, rare.value) == ("undecided", None)
    assert rare.reason.startswith("10 rows")
    assert common.value is not None
    assert common.high == gates.TYPE_LIMIT
