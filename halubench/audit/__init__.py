"""How well do shortcuts tell the label? Probes, duplicates, leakage, balance -> AuditReport."""

from __future__ import annotations

from halubench.audit.report import AuditReport, Finding, Gate, Ngram, Probe, Scope
from halubench.audit.run import audit_examples, ngrams, telling

__all__ = [
    "AuditReport",
    "Finding",
    "Gate",
    "Ngram",
    "Probe",
    "Scope",
    "audit_examples",
    "ngrams",
    "telling",
]
