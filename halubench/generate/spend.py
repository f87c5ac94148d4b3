"""One purse for a whole run: the generator and the jury pay out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench.errors import BudgetError

if TYPE_CHECKING:
    from halubench.models.base import Completion
    from halubench.records import Json, Prediction
    from halubench.run import Journal


@dataclass(slots=True)
class Votes:
    """The votes of one juror in one session. A vote does not say whether it came from the journal,
    so the share of new ones is taken from the journal's growth."""

    journal: Journal
    before: int
    calls: int = 0
    cost: float = 0.0

    def add(self, vote: Prediction) -> None:
        """Count one vote."""
        self.calls += 1
        self.cost += vote.cost_usd or 0.0

    def new_share(self) -> float:
        """The share of votes that were asked for now, in [0, 1]."""
        return min(1.0, (len(self.journal) - self.before) / max(1, self.calls))


@dataclass(slots=True)
class Purse:
    """What the run used in all (answers from the journal too), and what this command still may
    spend: answers from the journal are free. ``total`` is None once a price was unknown."""

    max_usd: float | None = None
    spent: float = 0.0
    total: float | None = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

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

    def pay(self, answer: Completion | Prediction, *, free: bool = False) -> None:
        """Book one answer."""
        cost = answer.cost_usd
        self.calls += 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens
        self.total = None if cost is None or self.total is None else self.total + cost
        if not free:
            self.spent += cost or 0.0

    def settle(self, votes: Votes) -> None:
        """Book what a juror's votes cost this command."""
        self.spent += votes.cost * votes.new_share()

    def told(self) -> str:
        """The cost so far, in words."""
        return "cost unknown" if self.total is None else f"${self.total:.4f}"

    def json(self) -> dict[str, Json]:
        """For the manifest."""
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": None if self.total is None else round(self.total, 6),
        }
