"""What an earlier run into the same folder used, as the measure of what the next one will."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halubench.generate.spend import FILE

if TYPE_CHECKING:
    from halubench.generate.ask import Ask
    from halubench.generate.spend import Stage


@dataclass(frozen=True, slots=True)
class Measured:
    """``spend``: what :mod:`halubench.generate.spend` wrote; empty where nothing is known."""

    spend: dict[str, Any]

    @classmethod
    def read(cls, ask: Ask) -> Measured:
        """Of the run folder, if it is of the same ask (its size may be another)."""
        try:
            known = json.loads((ask.out / "ask.json").read_text("utf-8"))
            spend = json.loads((ask.out / FILE).read_text("utf-8"))
        except (OSError, ValueError):
            return cls({})
        return cls(spend if known == ask.claim() else {})

    def tokens_per_char(self, stage: Stage) -> float | None:
        """Tokens in for a character of a request; None where none was counted."""
        bill = self._bill(stage)
        return bill["prompt_tokens"] / bill["chars"] if bill.get("prompt_tokens") else None

    def answer(self, stage: Stage) -> float | None:
        """Tokens of one answer; None where none was counted."""
        bill = self._bill(stage)
        return bill["completion_tokens"] / bill["calls"] if bill.get("completion_tokens") else None

    def calls(self, wanted: int, statements: int) -> float | None:
        """Requests for edits for so many pairs out of so many statements; None where unknown."""
        return self._scaled("perturb", wanted, statements)

    def votes(self, wanted: int, statements: int, jurors: int) -> float | None:
        """Votes of one juror for so many pairs; None where unknown."""
        calls = self._scaled("jury", wanted, statements)
        return None if calls is None else calls / jurors

    def _scaled(self, stage: Stage, wanted: int, statements: int) -> float | None:
        tried, passed = int(self.spend.get("tried", 0)), int(self.spend.get("passed", 0))
        calls = float(self._bill(stage).get("calls", 0))
        if not calls or not passed:
            return None
        return calls * min(wanted / passed, statements / tried if tried else wanted / passed)

    def _bill(self, stage: Stage) -> dict[str, Any]:
        found: dict[str, Any] = self.spend.get("stages", {}).get(stage, {})
        return found
