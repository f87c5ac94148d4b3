"""People read a sample, blind: is the answer supported by the passage? How often is the label wrong?"""

from __future__ import annotations

from halubench.review.apply import Applied, apply
from halubench.review.ledger import Decision, Ledger, ledgers
from halubench.review.report import Report, report, write_report
from halubench.review.sample import Sheet, open_sheet

__all__ = [
    "Applied",
    "Decision",
    "Ledger",
    "Report",
    "Sheet",
    "apply",
    "ledgers",
    "open_sheet",
    "report",
    "write_report",
]
