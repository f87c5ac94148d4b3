"""``lettucedetect:REPO_OR_DIR``: the token classifiers of LettuceDetect (Kovács & Recski 2025,
arXiv 2502.17125), asked in the prompt on which the package trains them.

P(FAIL) is the highest probability of a token of the answer to be unsupported. The package cuts off
what is longer than 4,096 tokens; ``--overflow window`` gives it windows instead, of which each
token takes its least. Needs the extra ``lettucedetect``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halubench.judges._package import package, scored
from halubench.judges.local import of_package
from halubench.judges.overflow import NO_ROOM, pieces, too_long
from halubench.records import Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.judges.local import LocalJudge
    from halubench.judges.overflow import Policy
    from halubench.records import Json, Overflow, Row

INSTALL = "Run: pip install 'halubench[lettucedetect]'"
NO_TOKENS = "the answer has no tokens"
ROWS = 16
"""Rows scored, and kept, at a time."""
MAX_LENGTH = 4096
"""Tokens of prompt and answer, as the package's own default."""
SPECIAL = 8
"""Tokens left for those that the tokenizer adds."""


def open_judge(spec: str, options: JudgeOptions) -> LocalJudge:
    """The detector of that repository or folder. Raises MissingExtraError."""
    package("lettucedetect", INSTALL)
    name = Path(spec).name if Path(spec).is_dir() else spec
    uri = f"lettucedetect:{name}"
    scorer = LettuceScorer(spec, options.length.overflow)
    identity: dict[str, Json] = {
        "engine": "lettucedetect",
        "model": name,
        "overflow": options.length.overflow,
    }
    return of_package(uri, identity, scorer, options)


class LettuceScorer:
    """Scores rows with one detector, loaded when the first is looked at."""

    batch = ROWS

    def __init__(self, model: str, overflow: Policy) -> None:
        self._name = model
        self._overflow: Policy = overflow
        self._detector: Any = None

    def check(self, rows: Sequence[Row]) -> None:
        if self._overflow != "error":
            return
        long = [row.id for row in rows if self._tokens(row.passage) > self._room(row)]
        if long:
            raise too_long(self._name, long, len(rows), MAX_LENGTH)

    def score(self, rows: Sequence[Row]) -> list[Prediction]:
        return [self._score(row) for row in rows]

    def _score(self, row: Row) -> Prediction:
        parts = self._parts(row)
        if not parts:
            return Prediction(row.id, "", Unscored(NO_ROOM), attempts=1)
        found = [self._loaded().predict([part], row.answer, row.question) for part in parts]
        least = np.min([[token["prob"] for token in tokens] for tokens in found], axis=0)
        if not least.size:
            return Prediction(row.id, "", Unscored(NO_TOKENS), attempts=1)
        mark: Overflow = "truncated" if self._overflow == "truncate" else "windowed"
        return scored(row, float(least.max()), "" if parts == [row.passage] else mark)

    def _parts(self, row: Row) -> list[str]:
        room = self._room(row)
        if self._tokens(row.passage) <= room:
            return [row.passage]

        async def count(text: str) -> int:
            return self._tokens(text)

        return asyncio.run(pieces(row.passage, room, count, self._overflow))

    def _room(self, row: Row) -> int:
        """Tokens of a passage beside the question, the answer and the package's own words."""
        prompts = package("lettucedetect.detectors.prompt_utils", INSTALL).PromptUtils
        rest = prompts.format_context([""], row.question, "en") + row.answer
        return MAX_LENGTH - self._tokens(rest) - SPECIAL

    def _tokens(self, text: str) -> int:
        return len(self._loaded().tokenizer(text, add_special_tokens=False)["input_ids"])

    def _loaded(self) -> Any:  # noqa: ANN401  (a detector of the package)
        if self._detector is None:
            detectors = package("lettucedetect.detectors.transformer", INSTALL)
            self._detector = detectors.TransformerDetector(self._name, max_length=MAX_LENGTH)
        return self._detector
