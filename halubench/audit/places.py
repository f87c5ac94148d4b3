"""What a row's id and its place in the file give away."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from halubench.audit import rules
from halubench.audit.rows import Rows, fold_ranks, out_of_fold, sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from halubench.audit.report import Rule
    from halubench.audit.rows import Scores

_PART = re.compile(r"[-_./:#]?[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d{1,15}")
_ROWS_A_CHARACTER = 10


def id_scores(rows: Rows) -> Scores:
    """Out-of-fold score (n,) from the ids' n-grams, characters by place, length and number."""
    ids = [example.id for example in rows.examples]
    chars = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2, max_features=20_000
    )
    placed = CountVectorizer(analyzer=_characters, min_df=2, binary=True)  # pyright: ignore[reportArgumentType]  (a callable is allowed)
    numbers = _numbers(ids)
    ranks = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    lengths = np.array([[len(each) / 100] for each in ids])
    dense = csr_matrix(np.column_stack([lengths, _placed(ranks, numbers % 2)]))
    table = csr_matrix(hstack([sparse(chars, ids), sparse(placed, ids), dense]))
    return fold_ranks(out_of_fold(table, rows), rows)


def id_rule(rows: Rows) -> Rule | None:
    """The best one of: a part of the id, the character at a place, its number, its length."""
    ids = [example.id for example in rows.examples]
    numbers = _numbers(ids)
    number = rules.Wording(
        "id ending in a number above {} is FAIL", "id ending in a number of at most {} is FAIL"
    )
    odd = rules.presence("id ending in an odd number")
    lengths = np.array([len(each) for each in ids], dtype=np.float64)
    return rules.best(
        [
            *(_part_rule(part, ids, rows.fail) for part in _parts(ids)),
            *_character_rules(ids, rows.fail),
            rules.threshold_rule((numbers % 2).astype(np.float64), rows.fail, odd),
            rules.threshold_rule(numbers.astype(np.float64), rows.fail, number),
            rules.threshold_rule(lengths, rows.fail, rules.quantity("id length")),
        ]
    )


def order_scores(rows: Rows) -> Scores:
    """Out-of-fold score (n,) from a row's tenth of the file and its parity."""
    place = np.arange(len(rows.fail))
    return fold_ranks(out_of_fold(_placed(place, place % 2), rows), rows)


def order_rule(rows: Rows) -> Rule | None:
    """The better of: one block of rows, every second row."""
    place = np.arange(len(rows.fail), dtype=np.float64)
    blocks = rules.Wording("every row after row {} is FAIL", "every row up to row {} is FAIL")
    second = rules.presence("every second row, from the second,")
    return rules.best(
        [
            rules.threshold_rule(np.mod(place, 2), rows.fail, second),
            rules.threshold_rule(place + 1.0, rows.fail, blocks),
        ]
    )


def _numbers(ids: Sequence[str]) -> NDArray[np.int64]:
    return np.array([int((_NUMBER.findall(each) or ["0"])[-1]) for each in ids], dtype=np.int64)


def _characters(each: str) -> list[str]:
    """The character at each place, counted from the start and from the end."""
    from_start = [f"{i}={char}" for i, char in enumerate(each[:48])]
    return from_start + [f"-{i}={char}" for i, char in enumerate(each[:-13:-1])]


def _character_rules(ids: Sequence[str], fail: NDArray[np.bool_]) -> list[Rule]:
    """For each place in ids of one length: the characters that are mostly on FAIL rows."""
    if len({len(each) for each in ids}) > 1:
        return []
    found: list[Rule] = []
    for place, column in enumerate(zip(*ids, strict=True), 1):
        seen, kinds = np.array(column), sorted(set(column))
        if 1 < len(kinds) <= len(ids) / _ROWS_A_CHARACTER:
            bad = [kind for kind in kinds if np.mean(fail[seen == kind]) > np.mean(fail)]
            text = f"id with one of {' '.join(bad)} as its character {place} is FAIL"
            found.append(rules.rule(text, np.isin(seen, bad), fail))
    return found


def _parts(ids: Sequence[str]) -> list[str]:
    counts = Counter(part for each in ids for part in set(_PART.findall(each)))
    return [part for part, count in counts.most_common(200) if 5 <= count < len(ids)]


def _part_rule(part: str, ids: Sequence[str], fail: NDArray[np.bool_]) -> Rule:
    held = np.array([part in each for each in ids])
    place = "ends in" if all(each.endswith(part) for each in ids if part in each) else "contains"
    return rules.presence_rule(f'id that {place} "{part}"', held, fail)


def _placed(rank: NDArray[np.int64], parity: NDArray[np.int64]) -> NDArray[np.float64]:
    """Parity and tenth of the list as one-hot columns: shape (n, 11)."""
    tenth = rank * 10 // max(1, len(rank))
    return np.column_stack([parity, tenth[:, None] == np.arange(10)]).astype(np.float64)
