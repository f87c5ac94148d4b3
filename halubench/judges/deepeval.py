"""``deepeval:MODEL`` and ``deepeval:MODEL@URL``: the hallucination metric of the package deepeval.

The model says of each context whether the answer agrees with it. The passage is the one context, so
P(FAIL) is 0 or 1. The package scores an answer without any verdict as perfect; here it is unscored.
Needs the extra ``deepeval``.
"""

from __future__ import annotations

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

NO_VERDICT = "deepeval gave no verdict"
INSTALL = "Run: pip install 'halubench[deepeval]'"


def open_judge(spec: str, options: JudgeOptions) -> LocalJudge:
    """The metric by that model. Raises MissingExtraError or InputError."""
    os.environ.setdefault("DEEPEVAL_TELEMETRY_OPT_OUT", "1")  # off unless asked for
    deepeval = package("deepeval", INSTALL)
    model, url, key = endpoint("deepeval", spec)

    def ask() -> Callable[[Row], Awaitable[Any]]:
        asked = package("deepeval.models", INSTALL).LocalModel(
            model=model, base_url=url, api_key=key, temperature=0.0
        )

        async def score(row: Row) -> Any:  # noqa: ANN401  (verdicts of deepeval)
            metric = package("deepeval.metrics", INSTALL).HallucinationMetric(
                model=asked, include_reason=False
            )
            case = package("deepeval.test_case", INSTALL).LLMTestCase(
                input=row.question, actual_output=row.answer, context=[row.passage]
            )
            await metric.a_measure(case, _show_indicator=False)
            return metric.verdicts

        return score

    identity = {
        "engine": "deepeval",
        "version": deepeval.__version__,
        "model": model,
        "endpoint": url,
    }
    return of_package(f"deepeval:{spec}", identity, RowScorer(ask, read, options.engine), options)


def read(row: Row, verdicts: Any) -> Prediction:  # noqa: ANN401
    """The prediction in the verdicts, each ``yes`` (agrees) or ``no``."""
    said = [each for each in verdicts if each is not None]
    if not said:
        return Prediction(row.id, "", Unscored(NO_VERDICT), attempts=1)
    agree = [str(getattr(each.verdict, "value", each.verdict)).lower() == "yes" for each in said]
    p_fail = agree.count(False) / len(agree)
    reasons = "\n".join(str(each.reason) for each in said if each.reason)
    return Prediction(row.id, "", verdict_of(p_fail), p_fail, reasoning=reasons, attempts=1)
