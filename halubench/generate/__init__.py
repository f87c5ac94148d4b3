"""Benchmarks out of gold QA documents: :func:`generate` makes one, :func:`plan` says its price."""

from __future__ import annotations

from halubench.generate.ask import Ask, Outcome, Progress, Tick
from halubench.generate.flow import generate
from halubench.generate.plan import Plan, plan
from halubench.generate.shards import Rest, Worked, merge, work

__all__ = [
    "Ask",
    "Outcome",
    "Plan",
    "Progress",
    "Rest",
    "Tick",
    "Worked",
    "generate",
    "merge",
    "plan",
    "work",
]
