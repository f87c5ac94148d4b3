"""One reviewer at work: what to show next, where they are, and what they said; page and terminal
both stand on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.review.ledger import Decision, check_rows

if TYPE_CHECKING:
    from halubench.records import Json, Row
    from halubench.review.ledger import Ledger, Opinion
    from halubench.review.sample import Sheet


class Desk:
    """Rows in the reviewer's own order; those that are decided are behind them."""

    def __init__(self, sheet: Sheet, ledger: Ledger) -> None:
        self._rows = sheet.rows(ledger.reviewer)
        self._known = {row.id for row in self._rows}
        self._ledger = ledger
        check_rows(ledger.path, ledger.decisions, self._known)
        self._shown_at = time.monotonic()
        self._shown = ""

    @property
    def total(self) -> int:
        """Rows of the sample."""
        return len(self._rows)

    @property
    def done(self) -> int:
        """Rows of the sample that are decided."""
        return sum(name in self._known for name in self._ledger.decisions)

    def next(self) -> Row | None:
        """The first row that is not decided; None when all are."""
        for row in self._rows:
            if row.id not in self._ledger.decisions:
                if row.id != self._shown:
                    self._shown, self._shown_at = row.id, time.monotonic()
                return row
        return None

    def decide(self, name: str, opinion: Opinion, span: str = "", note: str = "") -> None:
        """Keep a decision; on disk on return. Raises InputError for a row that is not here."""
        if name not in self._known:
            raise InputError(f"There is no row {name} in this sample.", "Load the page again.")
        seconds = time.monotonic() - self._shown_at if name == self._shown else 0.0
        self._ledger.decide(Decision(name, opinion, span, note, round(seconds, 1)))

    def undo(self) -> bool:
        """Take the last decision back; False where there is none."""
        return self._ledger.undo() is not None

    def state(self) -> dict[str, Json]:
        """What a page needs to show: the next row, without its label, and how far one is."""
        row = self.next()
        return {
            "reviewer": self._ledger.reviewer,
            "done": self.done,
            "total": self.total,
            "row": None
            if row is None
            else {
                "id": row.id,
                "passage": row.passage,
                "question": row.question,
                "answer": row.answer,
            },
        }
