"""Results of judges in, a leaderboard out: read, check, rank, write."""

from __future__ import annotations

from halubench.rank.board import Board, Row, Site, build, build_all, key_of
from halubench.rank.cases import Explorer, explorers
from halubench.rank.judge_card import JudgeCard
from halubench.rank.read import Entry, read_audits, read_entries, read_results
from halubench.rank.reported import Reported, load_reported
from halubench.rank.site import write
from halubench.rank.validation import Finding, validate

__all__ = [
    "Board",
    "Entry",
    "Explorer",
    "Finding",
    "JudgeCard",
    "Reported",
    "Row",
    "Site",
    "build",
    "build_all",
    "explorers",
    "key_of",
    "load_reported",
    "read_audits",
    "read_entries",
    "read_results",
    "validate",
    "write",
]
