"""The ranking as a picture: a dot and its 95 % interval a judge, as on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from halubench.rank.board import Board, Site

MOST = 40
"""Judges of one board that are drawn."""
_INK, _SOFT, _ACCENT, _FLOOR, _PAPER = "#1c1b22", "#5f5c68", "#4338a8", "#c2410c", "#fffefb"


def draw(site: Site, path: Path) -> None:
    """Write a PNG with one panel a benchmark. Raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        what = "A picture needs matplotlib, which is not installed."
        raise MissingExtraError(what, "Install it: pip install 'halubench[plots]'.") from error
    heights = [0.7 + 0.32 * min(len(board.rows), MOST) for board in site.boards]
    figure = Figure(figsize=(9, 0.6 + sum(heights) + 0.5 * len(heights)), facecolor=_PAPER)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    for axes, board in zip(panels[:, 0], site.boards, strict=True):
        _panel(axes, board)
    figure.suptitle(site.title, x=0.02, ha="left", color=_INK, size=15, weight="bold")
    figure.tight_layout()
    figure.savefig(path, format="png", dpi=160)


def _panel(axes: Axes, board: Board) -> None:
    rows = board.rows[:MOST]
    for place, row in enumerate(rows):
        macro = row.results.macro_accuracy
        if macro.low is not None and macro.high is not None:
            ends = (100 * macro.low, 100 * macro.high)
            axes.plot(ends, (place, place), color=_ACCENT, alpha=0.3, lw=6, solid_capstyle="round")
        if macro.value is not None:
            axes.plot(100 * macro.value, place, "o", color=_ACCENT, ms=6)
    floor = board.floors.get("baseline:majority")
    if floor is not None and floor.accuracy.value is not None:
        axes.axvline(100 * floor.accuracy.value, color=_FLOOR, ls="--", lw=1)
    names = [f"{row.rank}   {_plain(row.judge)}" for row in rows]
    axes.set_yticks(range(len(rows)), names, color=_INK, parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(_plain(board.data.name), loc="left", color=_INK, size=11, parse_math=False)
    axes.set_xlabel("Macro accuracy, %, with its 95 % interval; dashed: majority", color=_SOFT)
    axes.tick_params(length=0, colors=_SOFT)
    axes.set_facecolor(_PAPER)
    axes.grid(axis="x", color="#e6e1d8")
    axes.spines[:].set_visible(False)


def _plain(text: str) -> str:
    """One line of at most 44 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 44 else f"{line[:43]}…"
