"""What a jury said of a pair: votes with their quotes, the verdict on the pair, and its hardness."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from halubench.records import LABELS, Unscored, Verdict, render_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Json

Cast: TypeAlias = tuple[str, Verdict, Verdict]
"""(juror, verdict on the PASS row, verdict on the FAIL row)."""
BUCKETS = (0.0, 0.25, 0.5, 1.0)
"""Upper ends of the classes in which hardness is reported."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A juror's verdict on one row, and the words of the passage on which it rests."""

    verdict: Verdict
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """The votes on one pair.

    ``votes`` are those that count. ``first`` are those of the first pass, where a second was held.
    ``quotes`` are (juror, quote on the PASS row, quote on the FAIL row). ``proven``: code alone
    proves the FAIL answer wrong, so that votes on it tell how hard it is and no more.
    """

    votes: tuple[Cast, ...]
    first: tuple[Cast, ...] = ()
    quotes: tuple[tuple[str, str, str], ...] = ()
    proven: bool = False

    def refusal(self) -> str | None:
        """Why the pair is dropped; None when the jury is unanimous for both labels."""
        on_pass = [vote for _, vote, _ in self.votes]
        on_fail = [] if self.proven else [vote for _, _, vote in self.votes]
        if any(isinstance(vote, Unscored) for vote in (*on_pass, *on_fail)):
            return "jury: a vote could not be read"
        missed = any(vote != "FAIL" for vote in on_fail)
        accused = any(vote != "PASS" for vote in on_pass)
        if missed and accused:
            return "jury: disagrees with both labels"
        if missed:
            return "jury: FAIL answer not found hallucinated"
        return "jury: PASS answer found hallucinated" if accused else None

    def hardness(self) -> float:
        """The share of all votes, over both rows and both passes, that are not the label (an unread
        vote is not)."""
        cast = (*self.first, *self.votes)
        wrong = [vote != label for _, *pair in cast for vote, label in zip(pair, LABELS)]  # noqa: B905
        return sum(wrong) / len(wrong)

    def json(self) -> str:
        """The votes as JSON: juror to label to verdict, with quotes and the first pass if there are."""
        told: dict[str, dict[str, Json]] = {name: _verdicts(pair) for name, *pair in self.votes}
        for name, *quotes in self.quotes:
            if any(quotes):
                told[name]["quotes"] = dict(zip(LABELS, quotes, strict=True))
        for name, *pair in self.first:
            told[name]["first"] = _verdicts(pair)
        if self.proven:
            told["code"] = {"FAIL": "FAIL"}
        return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _verdicts(pair: Sequence[Verdict]) -> dict[str, Json]:
    return dict(zip(LABELS, map(render_verdict, pair), strict=True))


def fleiss_kappa(ballots: Sequence[Ballot]) -> float | None:
    """Agreement of the jurors beyond chance over all rows, in [-1, 1] (unread is a category).

    The first pass counts: votes of a second are cast on rows chosen for their disagreement.
    Fleiss, J. L. (1971), Measuring nominal scale agreement among many raters, Psychological
    Bulletin 76(5), 378-382. None with fewer than two jurors, no rows, or one category only, where
    kappa is undefined.
    """
    rows = [
        Counter(
            "UNSCORED" if isinstance(pair[side], Unscored) else pair[side]
            for _, *pair in ballot.first or ballot.votes
        )
        for ballot in ballots
        for side in (0, 1)
    ]
    raters = len(ballots[0].votes) if ballots else 0
    if raters < 2:
        return None
    agreeing = sum(n * (n - 1) for row in rows for n in row.values())
    observed = agreeing / (len(rows) * raters * (raters - 1))
    shares = [n / (len(rows) * raters) for n in sum(rows, Counter[str]()).values()]
    chance = sum(share**2 for share in shares)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def by_hardness(ballots: Sequence[Ballot]) -> list[dict[str, Json]]:
    """How many pairs of each class of hardness the jury kept and dropped."""
    found: list[dict[str, Json]] = []
    for low, high in zip((-1.0, *BUCKETS), BUCKETS, strict=False):
        here = [ballot for ballot in ballots if low < ballot.hardness() <= high]
        dropped = sum(ballot.refusal() is not None for ballot in here)
        found.append({"at_most": high, "kept": len(here) - dropped, "dropped": dropped})
    return found
