"""One purse for a whole run: every stage that asks a model pays out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from halubench.errors import BudgetError

if TYPE_CHECKING:
    from halubench.models.base import Completion
    from halubench.records import Json, Prediction

Stage: TypeAlias = Literal["anchor", "perturb", "jury"]
FILE = "spend.json"
"""What a run folder keeps of it, for the estimates of a later ``--dry-run``."""


@dataclass(slots=True)
class Bill:
    """What one stage used: requests with an answer, their characters, tokens, US dollars (None once
    a price was unknown)."""

    calls: int = 0
    chars: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0

    def add(self, answer: Completion | Prediction, chars: int) -> None:
        """Book one answer."""
        self.calls += 1
        self.chars += chars
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens
        cost = answer.cost_usd
        self.usd = None if cost is None or self.usd is None else self.usd + cost

    def json(self) -> dict[str, Json]:
        """For the manifest."""
        return {
            "calls": self.calls,
            "chars": self.chars,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": None if self.usd is None else round(self.usd, 6),
        }


@dataclass(slots=True)
class Purse:
    """What the run used in all (answers from the journal too), and what this command still may
    spend: answers from the journal are free."""

    max_usd: float | None = None
    spent: float = 0.0
    bills: dict[Stage, Bill] = field(default_factory=dict[Stage, Bill])

    def left(self) -> float | None:
        """US dollars that may still be spent; None: no ceiling. Raises BudgetError at nothing."""
        if self.max_usd is None:
            return None
        if self.spent >= self.max_usd:
            raise BudgetError(
                f"The ceiling of ${self.max_usd:g} is reached.",
                "Run the same command again to go on, or raise --max-usd.",
            )
        return self.max_usd - self.spent

    def pay(
        self, answer: Completion | Prediction, stage: Stage, chars: int = 0, *, free: bool = False
    ) -> None:
        """Book one answer; ``free``: it came from the journal."""
        self.bills.setdefault(stage, Bill()).add(answer, chars)
        if not free:
            self.spent += answer.cost_usd or 0.0

    @property
    def calls(self) -> int:
        """Requests with an answer, over all stages."""
        return sum(bill.calls for bill in self.bills.values())

    @property
    def total(self) -> float | None:
        """US dollars over all stages; None once a price was unknown."""
        known = [bill.usd for bill in self.bills.values() if bill.usd is not None]
        return sum(known) if len(known) == len(self.bills) else None

    def told(self) -> str:
        """The cost so far, in words."""
        return "cost unknown" if self.total is None else f"${self.total:.4f}"

    def json(self) -> dict[str, Json]:
        """For the manifest."""
        bills = self.bills.values()
        return {
            "calls": self.calls,
            "prompt_tokens": sum(bill.prompt_tokens for bill in bills),
            "completion_tokens": sum(bill.completion_tokens for bill in bills),
            "cost_usd": None if self.total is None else round(self.total, 6),
            "stages": {name: self.bills[name].json() for name in sorted(self.bills)},
        }
