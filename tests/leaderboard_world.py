"""Synthetic results for the leaderboard's tests."""

from halubench.results import Confusion, DataInfo, Estimate, JudgeInfo, Results, Scores

SIZES = {"DROP": 100, "covidQA": 40}


def around(value: float, width: float = 0.02) -> Estimate:
    return Estimate(value=value, low=max(0.0, value - width), high=min(1.0, value + width))


def scores(n: int, accuracy: float, unscored: int = 0, width: float = 0.02) -> Scores:
    rate = around(accuracy, width)
    return Scores(
        n=n,
        n_pass=n // 2,
        n_fail=n - n // 2,
        unscored=unscored,
        coverage=1 - unscored / n,
        confusion=Confusion(
            pass_pass=n // 2 - unscored, pass_unscored=unscored, fail_fail=n - n // 2
        ),
        accuracy=rate,
        accuracy_scored=rate,
        balanced_accuracy=rate,
        fail_precision=rate,
        fail_recall=rate,
        fail_f1=rate,
    )


def judged(
    name: str = "judge", accuracy: float = 0.8, width: float = 0.02, **judge: object
) -> Results:
    """A judge equally good on both sources, three answers of the first one unreadable."""
    rows = sum(SIZES.values())
    return Results(
        judge=JudgeInfo.model_validate(
            {"name": name, "uri": f"openai:{name}", "kind": "prompted", **judge}
        ),
        data=DataInfo(name="bench", ref="bench.parquet", sha256="ab" * 32, rows=rows),
        overall=scores(rows, accuracy, 3, width),
        macro_accuracy=around(accuracy, width),
        macro_balanced_accuracy=around(accuracy, width),
        sources={
            "DROP": scores(SIZES["DROP"], accuracy, 3, width),
            "covidQA": scores(SIZES["covidQA"], accuracy, 0, width),
        },
        baselines={
            "baseline:majority": scores(rows, 0.5),
            "baseline:length": scores(rows, 0.6),
        },
        unscored_reasons={"no SCORE": 2, "empty": 1},
    )
