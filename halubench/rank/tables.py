"""A leaderboard as tables: Markdown and CSV, and how a figure is written."""

from __future__ import annotations

import csv
import html
import io
import re
import shlex
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from halubench import content

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.rank.board import Board, Row, Site
    from halubench.results import Estimate, Results

SITE = "leaderboard/site"
DASH = "–"
_MARKDOWN = re.compile(r"([\\`*_\[\]|!#~])")


def render_markdown(site: Site) -> str:
    """The same tables as text, every name escaped."""
    environment = Environment(
        loader=FileSystemLoader([root / SITE for root in content.roots()]),
        autoescape=False,  # noqa: S701  (Markdown, whose names pass `md`)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "pc": percent, "unit": unit, "band": interval, "md": markdown,
    }  # fmt: skip
    environment.filters |= filters
    return environment.get_template("leaderboard.md.jinja").render(site=site)


def render_csv(boards: Sequence[Board]) -> str:
    """One line a judge and benchmark; shares in [0, 1], empty where undefined."""
    lines = [_record(board, row) for board in boards for row in board.rows]
    fields = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO()
    table = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    return text.getvalue()


def _record(board: Board, row: Row) -> dict[str, str | float | int | None]:
    results, overall = row.results, row.results.overall
    rates = {
        name: getattr(overall, name).value
        for name in ("accuracy", "accuracy_scored", "balanced_accuracy", "fail_precision",
                     "fail_recall", "fail_f1", "auroc")
    }  # fmt: skip
    return {
        "benchmark": _cell(board.data.name),
        "sha256": _cell(board.data.sha256),
        "rank_best": row.rank_best,
        "rank_worst": row.rank_worst,
        "judge": _cell(row.judge),
        "kind": results.judge.kind,
        "macro_accuracy": results.macro_accuracy.value,
        "macro_low": results.macro_accuracy.low,
        "macro_high": results.macro_accuracy.high,
        **rates,
        "n": overall.n,
        "unscored": overall.unscored,
        "clears_majority": str(row.clears_majority).lower(),
        "cost_usd": results.usage.cost_usd,
        "latency_p50": results.usage.latency_p50,
        **{_cell(f"accuracy:{name}"): s.accuracy.value for name, s in results.sources.items()},
    }


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def percent(estimate: Estimate) -> str:
    """A share as percent with one decimal, or a dash."""
    return DASH if estimate.value is None else f"{100 * estimate.value:.1f}"


def unit(estimate: Estimate) -> str:
    """An AUROC with three decimals, or a dash."""
    return DASH if estimate.value is None else f"{estimate.value:.3f}"


def interval(estimate: Estimate) -> str:
    """The 95 % interval in percent, or nothing."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def markdown(text: str) -> str:
    """Text that is inert in a Markdown table cell."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def command_line(results: Results) -> str:
    """The command that measures this judge on these rows again, the same way."""
    judge = results.judge
    told = ["--model", judge.uri, "--data", results.data.ref]
    told += ["--mode", judge.mode] if judge.mode else []
    told += ["--prompt", judge.prompt] if judge.prompt else []
    if judge.mode == "vote":
        for name in ("samples", "temperature"):
            told += [f"--{name}", str(judge.decoding[name])] if name in judge.decoding else []
    told += ["--seed", str(results.seed)] if results.seed else []
    return f"halubench evaluate {shlex.join([*told, '--out', 'results'])}"
