"""What is refused as not adding up, what predictions give, and how each figure is written."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_world import SIZES, around, judged, scores

from halubench.errors import InputError
from halubench.rank import build, build_all
from halubench.rank.check import check
from halubench.rank.tables import (
    command_line,
    interval,
    markdown,
    percent,
    render_csv,
    render_markdown,
    unit,
)
from halubench.results import Confusion, Estimate, Scores, Usage

SHARES = st.floats(0, 1)
ROWS = sum(SIZES.values())


def part(name: str, **change: object) -> dict[str, object]:
    """``judged()`` with one part (overall, a source or a baseline) changed."""
    whole = judged()
    if name == "overall":
        return {"overall": whole.overall.model_copy(update=change)}
    group = "baselines" if name.startswith("baseline:") else "sources"
    parts: dict[str, Scores] = dict(getattr(whole, group))
    return {group: {**parts, name: parts[name].model_copy(update=change)}}


@pytest.mark.parametrize(
    ("change", "field", "stated", "found"),
    [
        (part("overall", n=141), "data.rows", "140", "141"),
        (part("overall", n_pass=71), "overall.n", "140", "141"),
        (part("overall", n_pass=69, n_fail=71), "overall.n_pass", "69", "70"),
        (part("DROP", confusion=Confusion()), "DROP.n_pass", "50", "0"),
        (part("covidQA", mcc=Estimate(value=-1.5)), "covidQA.mcc", "-1.5", "-1"),
        (part("overall", unscored=141), "overall.unscored", "141", "140"),
        (part("overall", unscored=4), "overall.coverage", "0.9785714286", "0.9714285714"),
        (part("overall", coverage=0.5), "overall.coverage", "0.5", "0.9785714286"),
        (part("overall", accuracy=around(0.81)), "overall.accuracy", "0.81", "0.8"),
        (part("overall", fail_f1=Estimate(value=1.5)), "overall.fail_f1", "1.5", "1"),
        (part("overall", auroc=Estimate(value=-0.5)), "overall.auroc", "-0.5", "0"),
        (part("DROP", n=101), "DROP.n", "101", "100"),
        (part("DROP", n_fail=51), "DROP.n", "100", "101"),
        (part("DROP", unscored=-1), "DROP.unscored", "-1", "0"),
        (part("covidQA", coverage=0.9), "covidQA.coverage", "0.9", "1"),
        (part("covidQA", accuracy=around(0.1)), "overall.accuracy", "0.8", "0.6"),
        (part("covidQA", balanced_accuracy=around(0.6)), "macro_balanced_accuracy", "0.8", "0.7"),
        (
            part("covidQA", fail_recall=Estimate(value=0.5, low=0.7, high=0.3)),
            "covidQA.fail_recall.low",
            "0.7",
            "0.3",
        ),
        (part("baseline:length", n_pass=60), "baseline:length.n", "140", "130"),
        (part("baseline:length", unscored=7), "baseline:length.coverage", "1", "0.95"),
        ({"baselines": {"baseline:length": scores(40, 0.6)}}, "baseline:length.n", "40", "140"),
        (
            {"baselines": {"baseline:length": Scores.model_validate({
                **scores(ROWS, 0.6).model_dump(), "n_pass": 60, "n_fail": 80,
                "confusion": {"pass_pass": 60, "fail_fail": 80},
            })}},
            "baseline:length.n_pass",
            "60",
            "70",
        ),
        ({"unscored_reasons": {}}, "overall.unscored", "3", "0"),
        ({"unscored_reasons": {"empty": 2, "no SCORE": 2}}, "overall.unscored", "3", "4"),
        ({"sources": {}}, "overall.n", "140", "0"),
        ({"macro_balanced_accuracy": around(0.7)}, "macro_balanced_accuracy", "0.7", "0.8"),
        (
            {"macro_accuracy": Estimate(value=0.8, low=0.9, high=0.7)},
            "macro_accuracy.low",
            "0.9",
            "0.7",
        ),
        ({"macro_accuracy": Estimate(value=0.8, high=1.25)}, "macro_accuracy", "1.25", "1"),
        ({"usage": Usage(prompt_tokens=-5)}, "usage.prompt_tokens", "-5", "0"),
        ({"usage": Usage(completion_tokens=-1)}, "usage.completion_tokens", "-1", "0"),
        ({"usage": Usage(cost_usd=-0.5)}, "usage.cost_usd", "-0.5", "0"),
        ({"usage": Usage(latency_p95=float("inf"))}, "usage.latency_p95", "inf", "0"),
        ({"usage": Usage(latency_p50=float("nan"))}, "usage.latency_p50", "nan", "0"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_told_with_field_and_both_figures(
    change: dict[str, object], field: str, stated: str, found: str
) -> None:
    with pytest.raises(InputError) as caught:
        check(judged("liar").model_copy(update=change))
    told = f"on 'bench' do not add up: {field} is {stated} but its parts give {found} (difference "
    assert caught.value.what.startswith(f"The results of 'liar' {told}")
    assert caught.value.remedy == "Evaluate this judge again."


@pytest.mark.parametrize(
    "change",
    [
        {"macro_accuracy": Estimate(value=None)},
        {"macro_accuracy": around(0.8 + 5e-7)},
        {"baselines": {}},
        {"usage": Usage(prompt_tokens=0, cost_usd=0.0, latency_p50=0.0)},
        {"unscored_reasons": {"empty": 1, "no SCORE": 1, "refused": 1}},
        part("DROP", auroc=Estimate(value=0.0, low=0.0, high=1.0)),
        part("DROP", mcc=Estimate(value=-0.2, low=-1.0, high=0.3)),
    ],
)
def test_what_adds_up_within_the_tolerance_is_ranked(change: dict[str, object]) -> None:
    told = judged("honest").model_copy(update=change)
    assert build([told]).rows[0].results == told


@given(st.integers(-200, 200).filter(bool))
def test_any_row_too_many_or_too_few_is_refused(by: int) -> None:
    told = judged()
    data = told.data.model_copy(update={"rows": ROWS + by})
    with pytest.raises(InputError, match=re.escape(f"(difference {by:+d})")):
        check(told.model_copy(update={"data": data}))


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (percent, Estimate(value=None), "–"),
        (percent, Estimate(value=0.0), "0.0"),
        (percent, Estimate(value=1.0), "100.0"),
        (percent, Estimate(value=0.8449), "84.5"),
        (unit, Estimate(value=None), "–"),
        (unit, Estimate(value=0.5), "0.500"),
        (unit, Estimate(value=0.98765), "0.988"),
        (interval, Estimate(value=0.5), ""),
        (interval, Estimate(value=0.5, low=0.4), ""),
        (interval, Estimate(value=0.5, high=0.6), ""),
        (interval, Estimate(value=0.5, low=0.0, high=1.0), "[0.0, 100.0]"),
        (interval, Estimate(value=None, low=0.123, high=0.456), "[12.3, 45.6]"),
        (markdown, "a|b", "a\\|b"),
        (markdown, "<b>&", "&lt;b&gt;&amp;"),
        (markdown, " two\nlines\t ", "two lines"),
        (markdown, "[x](y) `z` *e* _f_", "\\[x\\](y) \\`z\\` \\*e\\* \\_f\\_"),
        (markdown, "\\", "\\\\"),
    ],
)
def test_a_figure_or_name_is_written_so(write, value: object, text: object) -> None:
    assert write(value) == text


@given(SHARES, SHARES)
def test_writing_keeps_order_and_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert float(percent(Estimate(value=low))) <= float(percent(Estimate(value=high)))
    ends = [float(end) for end in re.findall(r"[\d.]+", interval(around(low, high)))]
    assert len(ends) == 2
    assert 0 <= ends[0] <= ends[1] <= 100


@given(st.text())
def test_a_name_in_markdown_holds_no_cell_border_tag_or_line_end(text: str) -> None:
    told = markdown(text)
    assert not re.search(r"(?<!\\)(\\\\)*\|", told)
    assert "<" not in told
    assert len(told.splitlines()) <= 1


@pytest.mark.parametrize(
    ("ref", "told"),
    [("a.parquet", "a.parquet"), ("a b.csv", "'a b.csv'"), ("$(rm x)", "'$(rm x)'")],
)
def test_the_command_quotes_what_a_shell_would_read(ref: str, told: str) -> None:
    results = judged("m")
    results = results.model_copy(update={"data": results.data.model_copy(update={"ref": ref})})
    wanted = f"halubench evaluate --model openai:m --data {told} --out results"
    assert command_line(results) == wanted


def test_the_command_says_how_the_judge_was_asked() -> None:
    results = judged("m")
    asked = {"mode": "vote", "prompt": "short", "decoding": {"samples": 3, "temperature": 0.7}}
    told = {"judge": results.judge.model_copy(update=asked), "seed": 7}
    assert command_line(results.model_copy(update=told)).endswith(
        " --mode vote --prompt short --samples 3 --temperature 0.7 --seed 7 --out results"
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_no_name_begins_as_a_formula_in_a_spreadsheet(name: str) -> None:
    (line,) = csv.DictReader(io.StringIO(render_csv(build_all([judged(name)], "t").boards)))
    assert line["judge"] == f"'{name}"


@given(st.lists(st.integers(0, 100), min_size=1, max_size=4))
def test_csv_gives_back_the_very_figures_of_the_json(accuracies: list[int]) -> None:
    told = [judged(f"j{i}", value / 100) for i, value in enumerate(accuracies)]
    site = build_all(told, "t")
    lines = list(csv.DictReader(io.StringIO(render_csv(site.boards))))
    data = json.loads(site.model_dump_json())["boards"][0]["rows"]
    for line, row in zip(lines, data, strict=True):
        results, overall = row["results"], row["results"]["overall"]
        assert float(line["macro_accuracy"]) == results["macro_accuracy"]["value"]
        assert float(line["macro_low"]) == results["macro_accuracy"]["low"]
        assert float(line["accuracy:DROP"]) == results["sources"]["DROP"]["accuracy"]["value"]
        assert (line["rank_best"], line["rank_worst"]) == (
            str(row["rank_best"]),
            str(row["rank_worst"]),
        )
        assert float(line["fail_f1"]) == overall["fail_f1"]["value"]
        assert (line["auroc"], line["cost_usd"]) == ("", "")
        assert line["clears_majority"] == json.dumps(row["clears_majority"])


def test_markdown_says_for_every_judge_what_was_not_read() -> None:
    text = render_markdown(build_all([judged("a", 0.9), judged("b", 0.4)], "t"))
    assert text.count("| 3 of 140 |") == 2
    assert "| b † |" in text
    assert "| a † |" not in text
