"""Gates, findings and counts of whole audits."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from audit_twins import planted, twins

from halubench.audit import audit_examples, gates, pairs
from halubench.audit.report import AuditReport, Gate, Probe
from halubench.audit.rows import Rows
from halubench.errors import InputError
from halubench.records import Example, Provenance


def provenance(examples: list[Example], types: list[str]) -> dict[str, Provenance]:
    """Twins are the rows of one passage; types go round by pair."""
    passages = sorted({e.passage for e in examples})
    place = {passage: i for i, passage in enumerate(passages)}
    blank = Provenance(*[""] * 16, 0, "", 0.0, "")  # type: ignore[arg-type]
    return {
        e.id: replace(
            blank, id=e.id, pair_id=str(place[e.passage]), perturbation=types[place[e.passage] % len(types)]
        )
        for e in examples
    }  # fmt: skip


def gate(report: AuditReport, name: str, scope: str = "all") -> Gate:
    return next(g for g in report.gates if g.name == name and g.scope == scope)


def texts(report: AuditReport, kind: str) -> list[str]:
    return [finding.text for finding in report.findings if finding.kind == kind]


@pytest.fixture(scope="module")
def clean() -> AuditReport:
    return audit_examples(twins())


def test_clean_twins_pass_and_nothing_is_found(clean: AuditReport) -> None:
    assert not clean.failed
    assert not clean.findings
    assert clean.overall.duplicates.unique == clean.overall.n == 240


def test_the_report_is_a_function_of_rows_and_seed(clean: AuditReport) -> None:
    assert audit_examples(twins()).model_dump_json() == clean.model_dump_json()


def test_the_report_survives_json(clean: AuditReport) -> None:
    assert AuditReport.model_validate_json(clean.model_dump_json()) == clean


def test_sources_are_audited_apart_and_add_up() -> None:
    leaky = [
        replace(e, source_ds="leaky") for e in planted({"answer": "No, {e.answer}"}, twins(60, 1))
    ]
    small = [replace(e, source_ds="small") for e in twins(8, 2)]
    report = audit_examples([*twins(60), *leaky, *small])
    whole, parts = report.overall, report.sources.values()
    assert set(report.sources) == {"mills", "leaky", "small"}
    for field in ("n", "n_pass", "n_fail"):
        assert getattr(whole, field) == sum(getattr(part, field) for part in parts)
    for scope in (whole, *parts):
        assert scope.n == scope.n_pass + scope.n_fail
        told = scope.duplicates
        assert scope.n == told.unique + told.exact + told.normalised
        assert sum(scope.lengths.n_pass) == scope.n_pass
        assert sum(scope.lengths.n_fail) == scope.n_fail
    assert gate(report, "Answer only", "leaky").status == "fail"
    assert gate(report, "Answer only", "mills").status == "pass"
    assert gate(report, "Answer only", "small").status == "undecided"
    assert "16 rows" in gate(report, "Answer only", "small").reason


def test_duplicates_and_contradictions_are_counted_with_ids() -> None:
    rows = twins(30)
    first = rows[0]
    other = "FAIL" if first.label == "PASS" else "PASS"
    extra = [
        replace(first, id="again"),
        replace(first, id="loose", answer=first.answer.upper()),
        replace(first, id="opposed", label=other),
    ]
    report = audit_examples([*rows, *extra])
    told = report.overall.duplicates
    assert (told.unique, told.exact, told.normalised) == (60, 2, 1)
    assert told.contradictory == 4
    (contradiction,) = [f for f in report.findings if f.kind == "contradiction"]
    assert contradiction.severity == "high"
    assert set(contradiction.ids) == {first.id, "again", "loose", "opposed"}


def test_answers_that_differ_by_a_sign_alone_do_not_contradict_each_other() -> None:
    rows = twins(30)
    signs = [("PASS", "It cost €40."), ("FAIL", "It cost £40.")]
    pair = [replace(rows[0], id=label, label=label, answer=answer) for label, answer in signs]
    report = audit_examples([*rows, *pair])
    assert report.overall.duplicates.contradictory == 0
    assert not [finding for finding in report.findings if finding.kind == "contradiction"]


def test_shared_ids_are_reported() -> None:
    rows = twins(30)
    report = audit_examples([*rows[:-1], replace(rows[-1], id=rows[0].id)])
    assert any("share their id" in text for text in texts(report, "ids"))


def test_imbalance_is_reported_with_the_majority_share() -> None:
    rows = [e for i, e in enumerate(twins()) if e.label == "PASS" or i % 4 == 0]
    report = audit_examples(rows)
    share = report.overall.n_pass / report.overall.n
    assert report.overall.majority == pytest.approx(share)
    assert texts(report, "balance")[0].startswith(f"{share:.1%} of the rows are PASS")


def test_splits_that_share_a_passage_fail_the_leakage_gate() -> None:
    rows = twins(30)
    together = {e.id: "train" if e.passage < "Plant 2" else "test" for e in rows}
    report = audit_examples(rows, splits=together)
    assert gate(report, "Passages shared across splits").status == "pass"
    apart = {e.id: "train" if e.label == "PASS" else "test" for e in rows}
    leaking = audit_examples(rows, splits=apart)
    assert gate(leaking, "Passages shared across splits").value == 60
    assert gate(leaking, "Passages shared across splits").status == "fail"
    assert texts(leaking, "leakage")


def test_rows_of_another_dataset_fail_the_contamination_gate() -> None:
    rows = twins(30)
    against = {"held": [replace(rows[3], passage=rows[3].passage.upper())], "other": twins(3, 9)}
    report = audit_examples(rows, against=against)
    assert gate(report, "Rows also in held").value == 2
    assert gate(report, "Rows also in held").status == "fail"
    assert gate(report, "Rows also in other").status == "pass"


def test_pair_gates_need_provenance_and_read_it() -> None:
    rows = planted({"answer": "{e.answer} Quite so, all the many people said that day"}, twins(30))
    assert not any("edited" in g.name for g in audit_examples(rows).gates)
    report = audit_examples(rows, provenance=provenance(rows, ["number", "date"]))
    edited = gate(report, "Pairs with at most 20 % of tokens edited")
    assert (edited.value, edited.status) == (0.0, "fail")
    assert gate(report, "Entropy of perturbation types").value == pytest.approx(1.0)
    assert gate(report, "Answer only, type number").status == "undecided"


def test_only_the_type_that_leaks_fails() -> None:
    rows = twins()
    known = provenance(rows, ["number", "negation"])
    rows = [
        replace(e, answer=f"Not so: {e.answer}")
        if known[e.id].perturbation == "negation" and e.label == "FAIL"
        else e
        for e in rows
    ]
    report = audit_examples(rows, provenance=known)
    assert gate(report, "Answer only, type negation").status == "fail"
    assert gate(report, "Answer only, type number").status == "pass"
    assert gate(report, "Pairs with at most 20 % of tokens edited").value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("a b c d e", "a b x d e", 0.2),
        ("same", "same", 0.0),
        ("", "", 0.0),
        ("", "a", 1.0),
        ("rose 7 %", "rose 9 %", 1 / 3),
        ("1,577 tons", "1,578 tons", 0.5),
    ],
)
def test_edit_share_counts_tokens(one: str, other: str, share: float) -> None:
    assert pairs.edit_share(one, other) == pytest.approx(share)
    assert pairs.edit_share(other, one) == pytest.approx(share)


def test_type_entropy_falls_as_one_type_takes_over() -> None:
    even, uneven = np.array(["a", "b"] * 10), np.array(["a"] * 18 + ["b"] * 2)
    assert pairs.type_entropy(even) == pytest.approx(1.0)
    assert pairs.type_entropy(uneven) == pytest.approx(0.469, abs=1e-3)
    assert pairs.type_entropy(np.array(["a", "a"])) == 0.0
    assert pairs.type_entropy(np.array(["", ""])) is None


def test_a_pass_row_has_the_type_of_its_fail_twin() -> None:
    rows = Rows.of(twins(4), 0)
    known = provenance(list(rows.examples), ["number"])
    known = {
        e.id: replace(known[e.id], perturbation="number" if e.label == "FAIL" else "restated")
        for e in rows.examples
    }
    assert pairs.types(rows, pairs.Context(known)).tolist() == ["number"] * 8


@pytest.mark.parametrize(
    ("value", "low", "high", "status"),
    [
        (0.50, 0.48, 0.52, "pass"),
        (0.60, 0.55, 0.65, "pass"),
        (0.61, 0.55, 0.67, "fail"),
        (0.70, 0.45, 0.90, "undecided"),
        (0.30, 0.20, 0.40, "pass"),
    ],
)
def test_a_value_over_the_gate_fails_unless_chance_is_in_its_interval(
    value: float, low: float, high: float, status: str
) -> None:
    probe = Probe(name="answer", auroc=value, low=low, high=high, rows=100)
    assert gates.probe_gate(probe, "all", 0.0, 0.60).status == status


def test_the_length_gate_has_two_sides() -> None:
    short = Probe(name="length", auroc=0.30, low=0.25, high=0.35, rows=100)
    assert gates.probe_gate(short, "all", 0.45, 0.55).status == "fail"


def test_ids_that_tell_every_row_of_a_small_source_are_reported() -> None:
    rows = planted({"id": "{e.id}-perturbed"}, twins(12))
    random.Random(1).shuffle(rows)
    report = audit_examples(rows)
    assert gate(report, "Row ids").status == "undecided"
    assert any("-perturbed" in text for text in texts(report, "ids"))


def test_no_rows_are_an_input_error() -> None:
    with pytest.raises(InputError, match="no rows"):
        audit_examples([])


def test_one_row_can_be_audited() -> None:
    report = audit_examples([Example("i", "", "", "", "PASS", "s")])
    assert all(g.status == "undecided" for g in report.gates)
    assert report.overall.n == 1


def test_progress_ends_at_the_whole_work() -> None:
    steps: list[tuple[float, float]] = []
    audit_examples(twins(5), progress=lambda _, done, whole: steps.append((done, whole)))
    assert steps == sorted(steps)
    assert steps[-1][0] == pytest.approx(steps[-1][1])


def test_a_gate_of_quality_alone_is_not_called_a_shortcut() -> None:
    def one(name: str, status: str, kind: str) -> Gate:
        return Gate(
            name=name, scope="all", value=0.8, low=0.9, high=1.0, limit="at least 0.90",
            status=status, kind=kind,
        )  # fmt: skip

    report = audit_examples(twins(40))
    narrow = report.model_copy(
        update={
            "overall": report.overall.model_copy(
                update={"gates": (one("Entropy", "fail", "quality"),)}
            ),
            "sources": {},
        }
    )
    leaky = narrow.model_copy(
        update={
            "overall": narrow.overall.model_copy(
                update={"gates": (one("Length", "fail", "shortcut"),)}
            )
        }
    )
    assert not narrow.leaks
    assert narrow.verdict.startswith("No shortcut tells the label, but 1 of 1 gates fail: Entropy")
    assert leaky.leaks
    assert "can be told by shortcuts" in leaky.verdict
