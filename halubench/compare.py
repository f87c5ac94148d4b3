"""Compares judges row by row: ``halubench compare``."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from halubench import predictions
from halubench.errors import InputError
from halubench.metrics.agreement import cohen_kappa, fleiss_kappa, share
from halubench.metrics.paired import difference, holm, mcnemar
from halubench.rank.read import read_entries
from halubench.records import Unscored
from halubench.results import DataInfo, Estimate  # noqa: TC001  (pydantic needs them)
from halubench.run import publish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.metrics.rates import Ints
    from halubench.predictions import Judged
    from halubench.rank.read import Entry

SIGNIFICANT = 0.05
BY = ("source_ds", "domain", "perturbation", "level")
UNSCORED = "UNSCORED"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Compared(_Strict):
    """One judge. ``rank_best`` is 1 + the judges that are shown to be better by ``holm_p`` of the
    difference, ``rank_worst`` the number of those not shown to be worse."""

    name: str
    uri: str
    prompt: str
    accuracy: Estimate
    macro_accuracy: Estimate
    unscored: int
    rank_best: int
    rank_worst: int


class Part(_Strict):
    """The rows of one slice: how many only the first, and only the second judge has right."""

    n: int
    only_one: int
    only_other: int


class Pair(_Strict):
    """Two judges on the same rows; differences are of ``one`` less ``other``.

    ``p`` is of the paired bootstrap over passages, ``mcnemar_p`` of McNemar's exact test over rows;
    ``holm_*`` are adjusted for the number of pairs. ``kappa`` is Cohen's, of the verdicts.
    """

    one: str
    other: str
    both_right: int
    only_one: int
    only_other: int
    both_wrong: int
    difference: Estimate
    macro_difference: Estimate
    p: float | None
    holm_p: float | None
    mcnemar_p: float
    holm_mcnemar_p: float
    agreement: Estimate
    kappa: float | None
    by: dict[str, dict[str, Part]]


class Sensitivity(_Strict):
    """One model under several prompts. ``stable``: the share of rows with one verdict under all;
    ``kappa`` is Fleiss', of the verdicts."""

    uri: str
    prompts: list[str]
    lowest_accuracy: float
    highest_accuracy: float
    stable: Estimate
    kappa: float | None


class Comparison(_Strict):
    """``compare.json``. Unscored is a third verdict in every agreement, and never right."""

    format: Literal["halubench/comparison/1"] = "halubench/comparison/1"
    data: DataInfo
    judges: list[Compared]
    pairs: list[Pair]
    all_right: int
    all_wrong: int
    unanimous: Estimate
    kappa: float | None
    sensitivity: list[Sensitivity] = []


class Judge:
    """A judge's rows, in the order of their ids."""

    def __init__(self, name: str, entry: Entry) -> None:
        if not entry.predictions.is_file():
            what = f"{entry.path} has no {predictions.PREDICTIONS} beside it."
            raise InputError(what, "Give the whole folder that halubench evaluate wrote.")
        self.name, self.folder = name, entry.path.parent
        self.results = entry.results
        rows = predictions.read(entry.predictions)
        self.rows = sorted(rows, key=lambda row: row.said.id)
        self.verdicts = [_word(row) for row in self.rows]
        self.right: Ints = np.array([row.right for row in self.rows], dtype=np.int64)


def compare(folders: Sequence[Path], seed: int = 0) -> Comparison:
    """Compare the judges whose results are under ``folders``, each with each.

    Raises InputError for fewer than two judges, or judges of different rows.
    """
    entries = read_entries(folders)
    judges = [Judge(name, entry) for name, entry in zip(_names(entries), entries, strict=True)]
    if len(judges) < 2:
        raise InputError("There is one judge only.", "Give the results of two judges or more.")
    first = judges[0]
    for other in judges[1:]:
        _same_rows(first, other)
    pairs = _adjusted([_pair(one, other, seed) for one, other in combinations(judges, 2)])
    right = np.array([judge.right for judge in judges])
    return Comparison(
        data=first.results.data,
        judges=_ranked(judges, pairs),
        pairs=pairs,
        all_right=int(right.all(0).sum()),
        all_wrong=int((1 - right).all(0).sum()),
        unanimous=_unanimous(judges),
        kappa=fleiss_kappa(_counts(judges)),
        sensitivity=_sensitivity(judges),
    )


def _names(entries: Sequence[Entry]) -> list[str]:
    """The judges' names; where two have one name, with their folders'."""
    plain = [entry.results.judge.name for entry in entries]
    return [
        name if plain.count(name) == 1 else f"{name} [{entry.path.parent.name}]"
        for name, entry in zip(plain, entries, strict=True)
    ]


def _same_rows(first: Judge, other: Judge) -> None:
    ids = [[(row.said.id, row.label) for row in judge.rows] for judge in (first, other)]
    one, two = first.results.data, other.results.data
    if one.sha256 != two.sha256 or ids[0] != ids[1]:
        raise InputError(
            f"{first.folder} and {other.folder} are not of the same rows ({one.name}, sha256 "
            f"{one.sha256[:16]}…; {two.name}, sha256 {two.sha256[:16]}…).",
            "Evaluate both on one file.",
        )


def _pair(one: Judge, other: Judge, seed: int) -> Pair:
    gain = one.right - other.right
    groups = np.unique([row.group for row in one.rows], return_inverse=True)[1]
    whole, p = difference({"": gain}, {"": groups}, seed)
    places = _places(one.rows, "source_ds")
    macro, _ = difference(
        {name: gain[at] for name, at in places.items()},
        {name: groups[at] for name, at in places.items()},
        seed,
    )
    only_one, only_other = int((gain > 0).sum()), int((gain < 0).sum())
    same = sum(a == b for a, b in zip(one.verdicts, other.verdicts, strict=True))
    return Pair(
        one=one.name,
        other=other.name,
        both_right=int((one.right & other.right).sum()),
        only_one=only_one,
        only_other=only_other,
        both_wrong=int(((1 - one.right) & (1 - other.right)).sum()),
        difference=whole,
        macro_difference=macro,
        p=p,
        holm_p=None,
        mcnemar_p=mcnemar(only_one, only_other),
        holm_mcnemar_p=1.0,
        agreement=share(same, len(gain)),
        kappa=cohen_kappa(one.verdicts, other.verdicts),
        by={by: _parts(one.rows, by, gain) for by in BY if any(getattr(r, by) for r in one.rows)},
    )


def _parts(rows: Sequence[Judged], by: str, gain: Ints) -> dict[str, Part]:
    return {
        name or "unknown": Part(
            n=len(at), only_one=int((gain[at] > 0).sum()), only_other=int((gain[at] < 0).sum())
        )
        for name, at in sorted(_places(rows, by).items())
    }


def _places(rows: Sequence[Judged], by: str) -> dict[str, list[int]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[getattr(row, by)].append(place)
    return dict(places)


def _adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with Holm's adjustment over all of them."""
    by_row = holm([pair.mcnemar_p for pair in pairs])
    known = [pair.p for pair in pairs if pair.p is not None]
    drawn = iter(holm(known))
    return [
        pair.model_copy(
            update={
                "holm_mcnemar_p": adjusted,
                "holm_p": None if pair.p is None else next(drawn),
            }
        )
        for pair, adjusted in zip(pairs, by_row, strict=True)
    ]


def _ranked(judges: Sequence[Judge], pairs: Sequence[Pair]) -> list[Compared]:
    """Best row accuracy first; judges that the rows cannot tell apart share ranks."""
    better: defaultdict[str, int] = defaultdict(int)
    worse: defaultdict[str, int] = defaultdict(int)
    for pair in pairs:
        if pair.holm_p is not None and pair.holm_p < SIGNIFICANT:
            names = (pair.one, pair.other)
            winner, loser = names if (pair.difference.value or 0) > 0 else names[::-1]
            better[loser] += 1
            worse[winner] += 1
    told = [
        Compared(
            name=judge.name,
            uri=judge.results.judge.uri,
            prompt=judge.results.judge.prompt,
            accuracy=judge.results.overall.accuracy,
            macro_accuracy=judge.results.macro_accuracy,
            unscored=judge.results.overall.unscored,
            rank_best=1 + better[judge.name],
            rank_worst=len(judges) - worse[judge.name],
        )
        for judge in judges
    ]
    return sorted(told, key=lambda one: (-(one.accuracy.value or 0), one.name))


def _unanimous(judges: Sequence[Judge]) -> Estimate:
    rows = list(zip(*(judge.verdicts for judge in judges), strict=True))
    return share(sum(len(set(row)) == 1 for row in rows), len(rows))


def _counts(judges: Sequence[Judge]) -> Ints:
    """(rows, 3): how many judges said PASS, FAIL, and nothing that could be read."""
    said = np.array([judge.verdicts for judge in judges])
    return np.stack([(said == word).sum(0) for word in ("PASS", "FAIL", UNSCORED)], axis=1)


def _sensitivity(judges: Sequence[Judge]) -> list[Sensitivity]:
    """For every model that was asked in one mode by several prompts."""
    groups: defaultdict[tuple[str, str], list[Judge]] = defaultdict(list)
    for judge in judges:
        if judge.results.judge.prompt:
            groups[judge.results.judge.uri, judge.results.judge.mode].append(judge)
    return [_spread(groups[key]) for key in sorted(groups) if len(groups[key]) > 1]


def _spread(judges: Sequence[Judge]) -> Sensitivity:
    accuracies = [float(judge.right.mean()) for judge in judges]
    return Sensitivity(
        uri=judges[0].results.judge.uri,
        prompts=[judge.results.judge.prompt for judge in judges],
        lowest_accuracy=min(accuracies),
        highest_accuracy=max(accuracies),
        stable=_unanimous(judges),
        kappa=fleiss_kappa(_counts(judges)),
    )


def _word(row: Judged) -> str:
    verdict = row.said.verdict
    return UNSCORED if isinstance(verdict, Unscored) else verdict


def save(path: Path, comparison: Comparison) -> None:
    """Write the comparison as JSON. Raises OutputError when a file of another kind is there."""
    publish(path.parent, {path.name: comparison.model_dump_json(indent=1) + "\n"}, path.name)
