"""Results of judges in, a leaderboard out: read, check, rank, write."""

from __future__ import annotations

from halubench.rank.board import Board, Row, Site, build, build_all
from halubench.rank.page import write
from halubench.rank.read import read_audits, read_results
from halubench.rank.reported import Reported, load_reported

__all__ = [
    "Board",
    "Reported",
    "Row",
    "Site",
    "build",
    "build_all",
    "load_reported",
    "read_audits",
    "read_results",
    "write",
]
