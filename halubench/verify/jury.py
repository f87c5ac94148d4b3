"""A jury of judges other than the generator. Blind: it sees rows, never labels or twins.

A pair is kept only if every juror calls its FAIL row FAIL and its PASS row PASS. Rows on which the
jury is split, or a vote could not be read, are put to all of them once more, in another wording and
as blindly as before; that vote counts. What code proves is not put to the vote: there the votes on
the FAIL row tell only how hard it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from halubench.errors import InputError
from halubench.records import Row, Unscored
from halubench.text import digest
from halubench.verify.ballot import Ballot, Cast, Vote
from halubench.verify.proof import proves_fail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from halubench.records import Candidate
    from halubench.verify.ballot import Cast

Votes: TypeAlias = "dict[tuple[int, str, str], Vote]"
"""Vote by pass (0 or 1), juror and row key."""
_NO_JURORS = ("baseline", "recorded")


class Juror(Protocol):
    """Reads rows and votes on each."""

    rewords: bool
    """Whether a second pass asks otherwise than the first; else it is not asked again."""

    def hear(self, rows: Sequence[Row], turn: int) -> AsyncIterator[tuple[str, Vote]]:
        """(row id, vote) for every row, in order; ``turn`` 0 is the first pass, 1 the second."""
        ...


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
    jurors: Mapping[str, Juror], candidates: Sequence[Candidate], cast: Votes, seed: int
) -> list[Ballot]:
    """One ballot a candidate, in order.

    The jurors see the rows under opaque ids, in an order that ``seed`` shuffles.

    Args:
        jurors: by URI.
        candidates: the pairs to vote on.
        cast: votes so far, to which the new ones are added; no juror is asked for a row twice in
            one pass.
        seed: salt of ids and order.
    """
    keys = [_keys(one, seed) for one in candidates]
    rows = {_key(seed, row): row for one in candidates for row in _rows(one)}
    await _hear(jurors, rows, cast, 0)
    proven = [proves_fail(one) for one in candidates]
    settled = {failed for (_, failed), sure in zip(keys, proven, strict=True) if sure}
    again = {
        key: row for key, row in rows.items() if _open(jurors, cast, key) and key not in settled
    }
    await _hear(jurors, again, cast, 1)
    return [
        _ballot(jurors, cast, pair, proven=sure) for pair, sure in zip(keys, proven, strict=True)
    ]


async def _hear(
    jurors: Mapping[str, Juror], rows: Mapping[str, Row], cast: Votes, turn: int
) -> None:
    for uri, juror in jurors.items():
        if turn and not juror.rewords:
            cast |= {(turn, uri, key): cast[0, uri, key] for key in rows}
            continue
        blind = [_rename(rows[key], key) for key in sorted(rows) if (turn, uri, key) not in cast]
        if blind:
            async for key, said in juror.hear(blind, turn):
                cast[turn, uri, key] = said


def _open(jurors: Iterable[str], cast: Votes, key: str) -> bool:
    """Whether the first pass left a row open: split, or not read by all."""
    said = [cast[0, uri, key].verdict for uri in jurors]
    return len(set(said)) > 1 or any(isinstance(one, Unscored) for one in said)


def _ballot(jurors: Iterable[str], cast: Votes, keys: tuple[str, str], *, proven: bool) -> Ballot:
    def last(uri: str, key: str) -> Vote:
        return cast.get((1, uri, key)) or cast[0, uri, key]

    passed, failed = keys
    told = [(uri, last(uri, passed), last(uri, failed)) for uri in jurors]
    first: list[Cast] = [
        (uri, cast[0, uri, passed].verdict, cast[0, uri, failed].verdict) for uri in jurors
    ]
    again = any((1, uri, key) in cast for uri, *_ in told for key in keys)
    return Ballot(
        votes=tuple((uri, one.verdict, other.verdict) for uri, one, other in told),
        first=tuple(first) if again else (),
        quotes=tuple((uri, one.quote, other.quote) for uri, one, other in told),
        proven=proven,
    )


def _keys(candidate: Candidate, seed: int) -> tuple[str, str]:
    passed, failed = _rows(candidate)
    return _key(seed, passed), _key(seed, failed)


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
