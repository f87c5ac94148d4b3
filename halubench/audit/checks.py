"""What the probes do not see: duplicates, contradictions, balance, leakage, format marks."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from halubench import shortcuts, text
from halubench.audit.report import Duplicates, Finding, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from halubench.audit.report import Kind, Severity
    from halubench.audit.rows import Rows
    from halubench.records import Example

SHOWN = 5
_BINS = 24
Group = list[int]


def duplicates(rows: Rows, scope: str) -> tuple[Duplicates, list[Finding]]:
    """Repeated rows, contradictory labels, repeated questions, near-duplicate passages."""
    examples = rows.examples
    equal = _by(
        examples,
        lambda e: (*map(text.normalise, (e.passage, e.question)), text.answer_key(e.answer)),
    )
    same = _by(examples, lambda e: (e.passage, e.question, e.answer))
    asked = _by(examples, lambda e: (e.passage, e.question, e.label))
    exact = [group for group in same if len(group) > 1]
    loose = [group for group in equal if len(group) > 1]
    opposed = [group for group in loose if len({examples[i].label for i in group}) > 1]
    again = [group for group in asked if len(group) > 1]
    near = _near_passages(rows)
    exact_rows = sum(len(group) - 1 for group in exact)
    counts = Duplicates(
        unique=len(equal),
        exact=exact_rows,
        normalised=len(examples) - len(equal) - exact_rows,
        contradictory=sum(map(len, opposed)),
        repeated_questions=sum(map(len, again)),
        near_passages=sum(map(len, near)),
    )
    return counts, _told(rows, scope, (opposed, exact, again, near), counts)


def _told(
    rows: Rows, scope: str, found: tuple[list[Group], ...], counts: Duplicates
) -> list[Finding]:
    opposed, exact, again, near = found
    told: tuple[tuple[Kind, Severity, list[Group], int, str], ...] = (
        ("contradiction", "high", opposed, counts.contradictory,
         "Rows with the passage, question and answer of another row, but the other label"),
        ("duplicate", "medium", exact, counts.exact, "Rows that repeat an earlier row word for word"),
        ("duplicate", "low", again, counts.repeated_questions,
         "Rows that share passage, question and label with another row, so that they are no pair"),
        ("duplicate", "low", near, counts.near_passages,
         "Rows on passages that are nearly, not quite, the same as another row's"),
    )  # fmt: skip
    return [
        Finding(
            kind=kind, severity=severity, scope=scope, text=f"{sentence}: {count:,}.",
            rows=count, ids=_ids(rows, [i for group in groups for i in group]),
        )
        for kind, severity, groups, count, sentence in told
        if count
    ]  # fmt: skip


def balance(rows: Rows, scope: str) -> list[Finding]:
    """A source in which one label is more than 55 % of the rows."""
    share = float(np.mean(rows.fail))
    majority, label = max((share, "FAIL"), (1 - share, "PASS"))
    if majority <= 0.55:
        return []
    sentence = (
        f'{majority:.1%} of the rows are {label}: always saying "{label}" is right that often. '
        "Read balanced accuracy here, not accuracy."
    )
    severity: Severity = "medium" if majority > 0.65 else "low"
    return [
        Finding(kind="balance", severity=severity, scope=scope, text=sentence, rows=len(rows.fail))
    ]


def ids(rows: Rows, scope: str) -> list[Finding]:
    """Ids that more than one row carries."""
    repeated = [group for group in _by(rows.examples, lambda e: e.id) if len(group) > 1]
    if not repeated:
        return []
    count = sum(map(len, repeated))
    sentence = f"{count:,} rows share their id with another row: nothing can be joined on it."
    return [
        Finding(
            kind="ids", severity="high", scope=scope, text=sentence, rows=count,
            ids=_ids(rows, [group[0] for group in repeated]),
        )
    ]  # fmt: skip


def marks(rows: Rows, scope: str) -> list[Finding]:
    """Surface marks whose rows lean to one label: binomial p < 1e-4 and 20 points off the rest."""
    table = shortcuts.surface_features(rows.examples)
    base, found = float(np.mean(rows.fail)), []
    for name, column in zip(shortcuts.SURFACE, table.T, strict=True):
        held = column > 0
        count, fails = int(held.sum()), int(rows.fail[held].sum())
        if not 10 <= count < len(held) or abs(fails / count - base) < 0.2:
            continue
        if binomtest(fails, count, base).pvalue < 1e-4:
            label, share = max(
                (("FAIL", fails / count), ("PASS", 1 - fails / count)), key=lambda x: x[1]
            )
            found.append((abs(fails / count - base) * count, name, held, label, share))
    return [
        Finding(
            kind="shortcut", scope=scope, rows=int(held.sum()),
            severity="high" if share >= 0.9 and np.mean(held) >= 0.1 else "medium",
            text=f"{int(held.sum()):,} answers have {name}: {share:.0%} of them are {label}.",
            ids=_ids(rows, np.flatnonzero(held & (rows.fail == (label == "FAIL"))).tolist()),
        )
        for _, name, held, label, share in sorted(found, key=lambda each: -each[0])[:SHOWN]
    ]  # fmt: skip


def lengths(rows: Rows) -> Histogram:
    """PASS and FAIL counts by characters of the answer; the last bin takes the longest 2 %."""
    values = np.array([len(example.answer) for example in rows.examples], dtype=np.float64)
    top = float(max(_BINS, np.ceil(np.quantile(values, 0.98)))) if len(values) else float(_BINS)
    edges = np.linspace(0, top, _BINS + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _BINS - 1)
    return Histogram(
        edges=tuple(edges.round(1).tolist()),
        n_pass=tuple(np.bincount(place[~rows.fail], minlength=_BINS).tolist()),
        n_fail=tuple(np.bincount(place[rows.fail], minlength=_BINS).tolist()),
    )


def _near_passages(rows: Rows) -> list[Group]:
    texts: dict[str, set[str]] = defaultdict(set)
    members: dict[str, Group] = defaultdict(list)
    for i, (example, group) in enumerate(zip(rows.examples, rows.groups.tolist(), strict=True)):
        texts[group].add(example.passage)
        members[group].append(i)
    return [members[group] for group, different in texts.items() if len(different) > 1]


def _by(examples: Sequence[Example], key: Callable[[Example], Hashable]) -> list[Group]:
    groups: dict[Hashable, Group] = defaultdict(list)
    for i, example in enumerate(examples):
        groups[key(example)].append(i)
    return list(groups.values())


def _ids(rows: Rows, indexes: Iterable[int]) -> tuple[str, ...]:
    named = dict.fromkeys(rows.examples[i].id for i in indexes)
    return tuple(named)[:SHOWN]
