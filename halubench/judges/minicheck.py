"""``minicheck:NAME``: the fact checkers of MiniCheck (Tang et al. 2024, arXiv 2404.10774).

NAME is one of the package's models: ``roberta-large``, ``deberta-v3-large``, ``flan-t5-large`` or
``Bespoke-MiniCheck-7B``. The passage is its document, question and answer its claim; it cuts long
documents itself and takes the most support of any part, as halubench does. The package is on
GitHub alone: the one called minicheck on PyPI is something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.judges._package import package, scored
from halubench.judges.local import of_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.judges.local import LocalJudge
    from halubench.records import Json, Prediction, Row

INSTALL = "Run: pip install 'minicheck @ git+https://github.com/Liyan06/MiniCheck.git'"
ROWS = 64
"""Rows scored, and kept, at a time."""


def open_judge(spec: str, options: JudgeOptions) -> LocalJudge:
    """The checker of that name. Raises MissingExtraError."""
    package("minicheck.minicheck", INSTALL)
    identity: dict[str, Json] = {"engine": "minicheck", "model": spec}
    return of_package(f"minicheck:{spec}", identity, MiniCheckScorer(spec), options)


class MiniCheckScorer:
    """Scores rows with one model, loaded when the first is scored."""

    batch = ROWS

    def __init__(self, model: str) -> None:
        self._model = model
        self._checker: Any = None

    def check(self, rows: Sequence[Row]) -> None:
        """Nothing is too long: the package cuts documents itself."""

    def score(self, rows: Sequence[Row]) -> list[Prediction]:
        if self._checker is None:
            self._checker = package("minicheck.minicheck", INSTALL).MiniCheck(self._model)
        claims = [f"{row.question} {row.answer}" for row in rows]
        _, supports, parts, _ = self._checker.score([row.passage for row in rows], claims)
        return [
            scored(row, 1 - float(support), "windowed" if len(cut) > 1 else "")
            for row, support, cut in zip(rows, supports, parts, strict=True)
        ]
