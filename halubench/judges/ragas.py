"""``ragas:MODEL`` and ``ragas:MODEL@URL``: faithfulness of the package ragas.

The answer is split into statements by the model, which then judges each against the passage (Es et
al. 2023, arXiv 2309.15217). P(FAIL) is the share of statements that are not supported; FAIL where it
is above .5, the threshold of the Lynx paper. An answer of which no statement could be made is
unscored. Needs the extra ``ragas``.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from halubench.judges._package import RowScorer, endpoint, package
from halubench.judges.local import of_package
from halubench.judges.modes import verdict_of
from halubench.records import Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from halubench.judges.base import JudgeOptions
    from halubench.judges.local import LocalJudge
    from halubench.records import Row

NO_STATEMENT = "ragas found no statement in the answer"
INSTALL = "Run: pip install 'halubench[ragas]'"


def open_judge(spec: str, options: JudgeOptions) -> LocalJudge:
    """Faithfulness by that model. Raises MissingExtraError or InputError."""
    os.environ.setdefault("RAGAS_DO_NOT_TRACK", "true")  # its telemetry is off unless asked for
    ragas = package("ragas", INSTALL)
    model, url, key = endpoint("ragas", spec)

    def ask() -> Callable[[Row], Awaitable[Any]]:
        client = package("openai", INSTALL).AsyncOpenAI(api_key=key, base_url=url)
        llm = package("ragas.llms", INSTALL).llm_factory(model, client=client, temperature=0.0)
        metric = package("ragas.metrics.collections", INSTALL).Faithfulness(llm=llm)

        def score(row: Row) -> Awaitable[Any]:
            asked: Awaitable[Any] = metric.ascore(row.question, row.answer, [row.passage])
            return asked

        return score

    identity = {"engine": "ragas", "version": ragas.__version__, "model": model, "endpoint": url}
    return of_package(f"ragas:{spec}", identity, RowScorer(ask, read, options.engine), options)


def read(row: Row, result: Any) -> Prediction:  # noqa: ANN401  (a result of ragas)
    """The prediction in the share of supported statements."""
    faithful = float(result.value)
    if math.isnan(faithful):
        return Prediction(row.id, "", Unscored(NO_STATEMENT), attempts=1)
    return Prediction(row.id, "", verdict_of(1 - faithful), 1 - faithful, attempts=1)
