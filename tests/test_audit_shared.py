"""What the audit says of real benchmarks (read where they are, never copied)."""

from __future__ import annotations

from pathlib import Path

import pytest

from halubench.audit import AuditReport, audit_examples, probes
from halubench.audit.rows import Rows
from halubench.dataset import load

DATA = Path(__file__).parents[2] / "shared" / "data" / "halubench_dev"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here"),
]


def audit(name: str, source: str | None = None) -> AuditReport:
    rows = load(str(DATA / name)).examples
    return audit_examples([row for row in rows if source in {None, row.source_ds}])


def test_drop_leaks_by_list_marks_repeated_spans_and_row_order() -> None:
    report = audit("halubench_drop.jsonl.gz")
    failed = {gate.name for gate in report.failed}
    assert {"Answer format", "Row order"} <= failed
    told = " ".join(finding.text for finding in report.findings)
    assert "list marks" in told
    assert "repeated spans" in told


def test_pubmedqa_ids_tell_the_label() -> None:
    report = audit("halubench_pubmedqa.jsonl.gz")
    assert "Row ids" in {gate.name for gate in report.failed}
    assert any("-perturbed" in finding.text for finding in report.findings if finding.kind == "ids")


def test_covidqa_sample_is_too_small_to_probe_yet_its_id_numbers_tell_every_label() -> None:
    report = audit("halubench_sample_other_sources.jsonl.gz", "covidQA")
    assert {gate.status for gate in report.gates} == {"undecided"}
    assert any("Id ending in a number" in finding.text for finding in report.findings)


def test_halueval_is_told_by_length_and_by_one_character_of_its_rebuilt_ids() -> None:
    rows = Rows.of(load(str(DATA / "halubench_halueval_qa.jsonl.gz")).examples, 0)
    specs = {spec.name: spec for spec in probes.PROBES}
    length, ids = (probes.measure(specs[name], rows) for name in ("length", "ids"))
    assert length.auroc is not None
    assert length.auroc > 0.95
    assert length.rule is not None
    assert 0.93 < length.rule.accuracy < 0.94
    assert length.rule.text.startswith("answer longer than 2")
    assert ids.rule is not None
    assert ids.rule.accuracy > 0.99
    assert "character 11" in ids.rule.text
