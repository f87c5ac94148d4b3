"""A jury of judges other than the generator. Blind: it sees rows, never labels or twins.

A pair is kept only if every juror calls its FAIL row FAIL and its PASS row PASS. A vote that could
not be read is a disagreement, and is reported as such.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from halubench.errors import InputError
from halubench.records import LABELS, Row, Unscored, Verdict, render_verdict
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from halubench.judges.base import Judge
    from halubench.records import Candidate, Prediction

Votes: TypeAlias = "dict[tuple[str, str], Verdict]"
"""Verdict by juror and row key."""
_NO_JURORS = ("baseline", "recorded")


@dataclass(frozen=True, slots=True)
class Ballot:
    """The votes on one pair: (juror, verdict on the PASS row, verdict on the FAIL row) each."""

    votes: tuple[tuple[str, Verdict, Verdict], ...]

    def refusal(self) -> str | None:
        """Why the pair is dropped; None when the jury is unanimous for both labels."""
        cast = [vote for _, *pair in self.votes for vote in pair]
        if any(isinstance(vote, Unscored) for vote in cast):
            return "jury: a vote could not be read"
        missed = any(vote != "FAIL" for _, _, vote in self.votes)
        accused = any(vote != "PASS" for _, vote, _ in self.votes)
        if missed and accused:
            return "jury: disagrees with both labels"
        if missed:
            return "jury: FAIL answer not found hallucinated"
        return "jury: PASS answer found hallucinated" if accused else None

    def hardness(self) -> float:
        """The share of votes, over both rows, that are not the label (an unread vote is not)."""
        wrong = [vote != label for _, *pair in self.votes for vote, label in zip(pair, LABELS)]  # noqa: B905
        return sum(wrong) / len(wrong)

    def json(self) -> str:
        """The votes as JSON: juror to label to verdict."""
        votes = {
            name: dict(zip(LABELS, map(render_verdict, pair), strict=True))
            for name, *pair in self.votes
        }
        return json.dumps(votes, ensure_ascii=False, sort_keys=True)


def check_jury(jury: Sequence[str], generator: str) -> None:
    """Raise InputError for a juror that is the generator, named twice, or no judge of new rows."""
    models = [_model(uri) for uri in jury]
    for uri, model in zip(jury, models, strict=True):
        if model == _model(generator):
            raise InputError(
                f"The juror {uri} is the generator itself: its vote would not be independent.",
                "Name a model of another family with --jury.",
            )
        if models.count(model) > 1:
            raise InputError(f"The juror {uri} is named twice.", "Name each juror once.")
        if uri.partition(":")[0] in _NO_JURORS:
            raise InputError(
                f"{uri} cannot sit on a jury: it cannot judge rows that it has never seen.",
                "Name a model with --jury.",
            )


def _model(uri: str) -> str:
    """The model of a URI, whatever address serves it."""
    return uri.partition("@")[0].strip().lower()


async def vote(
    jurors: Mapping[str, Callable[[], Judge]],
    candidates: Sequence[Candidate],
    cast: Votes,
    seed: int,
    tell: Callable[[Prediction], None],
) -> list[Ballot]:
    """One ballot a candidate, in order.

    The jurors see the rows under opaque ids, in an order that ``seed`` shuffles.

    Args:
        jurors: what opens each judge, by its URI; called when its turn comes.
        candidates: the pairs to vote on.
        cast: votes so far, to which the new ones are added; no juror is asked for a row twice.
        seed: salt of ids and order.
        tell: called with each vote as it is cast.
    """
    keys = [tuple(_key(seed, row) for row in _rows(one)) for one in candidates]
    rows = {_key(seed, row): row for one in candidates for row in _rows(one)}
    for uri, open_juror in jurors.items():
        blind = [_rename(rows[key], key) for key in sorted(rows) if (uri, key) not in cast]
        async for said in open_juror().predict(blind):
            cast[uri, said.id] = said.verdict
            tell(said)
    return [
        Ballot(tuple((uri, cast[uri, passed], cast[uri, failed]) for uri in jurors))
        for passed, failed in keys
    ]


def _rows(candidate: Candidate) -> tuple[Row, Row]:
    item = candidate.item
    return (
        Row("", item.passage, item.question, candidate.pass_answer, item.source_ds),
        Row("", item.passage, item.question, candidate.fail_answer, item.source_ds),
    )


def _key(seed: int, row: Row) -> str:
    """A hash: it tells nothing, names equal rows alike, and sorts in an order of its own."""
    return digest(str(seed), row.passage, row.question, row.answer)[:16]


def _rename(row: Row, key: str) -> Row:
    return Row(key, row.passage, row.question, row.answer, row.source_ds)


def fleiss_kappa(ballots: Sequence[Ballot]) -> float | None:
    """Agreement of the jurors beyond chance over all rows, in [-1, 1] (unread is a category).

    Fleiss, J. L. (1971), Measuring nominal scale agreement among many raters, Psychological
    Bulletin 76(5), 378-382. None with fewer than two jurors, no rows, or one category only, where
    kappa is undefined.
    """
    rows = [
        Counter(
            "UNSCORED" if isinstance(pair[side], Unscored) else pair[side] for _, *pair in b.votes
        )
        for b in ballots
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
