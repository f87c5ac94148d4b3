"""Ranks the judges that were measured on the same rows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from halubench.audit.report import AuditReport  # noqa: TC001  (pydantic needs it at run time)
from halubench.errors import InputError
from halubench.rank.check import check
from halubench.rank.judge_card import JudgeCard  # noqa: TC001
from halubench.rank.reported import Reported  # noqa: TC001
from halubench.results import DataInfo, Estimate, Results, Scores  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Key = tuple[str, str, str]
MAJORITY = "baseline:majority"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Strict):
    """One measured judge. ``rank_best`` to ``rank_worst`` is its band (None: no interval).

    ``clears_majority`` tells whether the interval of its row accuracy lies wholly above that of
    always giving the majority label.
    """

    judge: str
    rank_best: int | None
    rank_worst: int | None
    clears_majority: bool
    results: Results
    card: JudgeCard | None = None

    @property
    def rank(self) -> str:
        """The band as text: "1", "1-3", or a dash where there is no interval."""
        if self.rank_best is None:
            return "–"
        return f"{self.rank_best}" + (
            "" if self.rank_best == self.rank_worst else f"-{self.rank_worst}"
        )


class Board(_Strict):
    """All judges of one benchmark, the best macro accuracy first, and the floors beside them."""

    data: DataInfo
    sources: list[str]
    rows: list[Row]
    floors: dict[str, Scores]
    audit: AuditReport | None = None


class Site(_Strict):
    """``leaderboard.json``: a board a benchmark, and what others report, never mixed."""

    format: Literal["halubench/leaderboard/1"] = "halubench/leaderboard/1"
    title: str
    boards: list[Board]
    reported: list[Reported] = []


def key_of(results: Results) -> Key:
    """What one result is of: the data, and the judge by name and prompt."""
    return results.data.sha256, results.judge.name, results.judge.prompt_hash


def build(
    results: Sequence[Results],
    audit: AuditReport | None = None,
    cards: Mapping[Key, JudgeCard] | None = None,
) -> Board:
    """Rank judges measured on the same rows by macro accuracy, in bands.

    Each judge is as good as its interval allows: its best rank is 1 + the judges whose interval
    lies wholly above its own, its worst is the number of judges not wholly below it. The board
    does not depend on the order of ``results``. ``cards`` by :func:`key_of`.

    Raises InputError when a result's numbers do not add up, or when results are of different data.
    """
    if not results:
        raise InputError("There are no results to rank.", "Run halubench evaluate first.")
    for each in results:
        check(each)
    first, *_ = ordered = sorted(results, key=_order)
    for each in ordered:
        _same_rows(first, each)
    names = _names(ordered)
    intervals = [each.macro_accuracy for each in ordered]
    return Board(
        data=first.data,
        sources=sorted(first.sources),
        rows=[
            _row(name, each, intervals, (cards or {}).get(key_of(each)))
            for name, each in zip(names, ordered, strict=True)
        ],
        floors=min(
            (each for each in ordered if each.baselines),
            key=lambda each: each.model_dump_json(),
            default=first,
        ).baselines,
        audit=audit,
    )


def build_all(
    results: Sequence[Results],
    title: str,
    reported: Sequence[Reported] = (),
    audits: Sequence[AuditReport] = (),
    cards: Mapping[Key, JudgeCard] | None = None,
) -> Site:
    """A board a benchmark (rows with one sha256), the largest first; see :func:`build`."""
    groups: dict[str, list[Results]] = defaultdict(list)
    for each in results:
        groups[each.data.sha256].append(each)
    known = {audit.sha256: audit for audit in audits}
    boards = [build(group, known.get(sha), cards) for sha, group in groups.items()]
    boards.sort(key=lambda board: (-board.data.rows, board.data.name, board.data.sha256))
    return Site(title=title, boards=boards, reported=list(reported))


def _row(name: str, results: Results, intervals: list[Estimate], card: JudgeCard | None) -> Row:
    best, worst = _band(results.macro_accuracy, intervals)
    return Row(
        judge=name,
        rank_best=best,
        rank_worst=worst,
        clears_majority=_clears(results),
        results=results,
        card=card,
    )


def _band(own: Estimate, intervals: list[Estimate]) -> tuple[int | None, int | None]:
    if own.low is None or own.high is None:
        return None, None
    ranked = [(i.low, i.high) for i in intervals if i.low is not None and i.high is not None]
    above = sum(low > own.high for low, _ in ranked)
    below = sum(high < own.low for _, high in ranked)
    return 1 + above, len(ranked) - below


def _clears(results: Results) -> bool:
    own, floor = results.overall.accuracy.low, results.baselines.get(MAJORITY)
    return (
        own is not None
        and floor is not None
        and floor.accuracy.high is not None
        and own > floor.accuracy.high
    )


def _order(results: Results) -> tuple[bool, float, str, str]:
    """Ranked judges first, by falling macro accuracy, then by name."""
    macro = results.macro_accuracy
    return (
        None in {macro.low, macro.high},
        -(macro.value or 0.0),
        results.judge.name,
        results.model_dump_json(),
    )


def _names(results: Sequence[Results]) -> list[str]:
    """The judges' names, told apart by prompt where one name was measured with several."""
    plain = [each.judge.name for each in results]
    return [
        each.judge.name
        if plain.count(each.judge.name) == 1
        else f"{each.judge.name} (prompt {each.judge.prompt_hash[:8] or 'none'})"
        for each in results
    ]


def _same_rows(first: Results, other: Results) -> None:
    """Raise InputError unless both were measured on the same rows."""
    counts = [
        (each.data.sha256, {name: (s.n, s.n_pass, s.n_fail) for name, s in each.sources.items()})
        for each in (first, other)
    ]
    if counts[0] != counts[1]:
        raise InputError(
            f"{first.judge.name!r} and {other.judge.name!r} were not measured on the same rows of "
            f"{first.data.name!r}: their hash or their counts by source differ.",
            "Evaluate both again on one file.",
        )
