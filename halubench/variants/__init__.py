"""Changes of a row that leave its meaning, and so its label, as they are: one file each, found by
name. A judge that is steady says of a varied row what it said of the row."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from halubench import content
from halubench.errors import InputError
from halubench.variants.base import Unvaried

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halubench.records import Row
    from halubench.variants.base import VariantOptions, Varied

UNCHANGED = "nothing to change"


def vary(
    names: Iterable[str], rows: Sequence[Row], options: VariantOptions
) -> dict[str, list[Varied]]:
    """The rows under each variant, in the order of ``rows``.

    Raises InputError for an unknown variant, or one that loses a row or touches an answer; what
    else a variant raises is said in its module.
    """
    known = dict.fromkeys(names)
    if unknown := [name for name in known if name not in content.module_names("variants")]:
        raise InputError(
            f"{unknown[0]!r} is no variant of a row.",
            f"Known: {', '.join(content.module_names('variants'))}; give them by commas.",
        )
    return {name: _varied(name, rows, options) for name in known}


def unvaried(variants: Mapping[str, Sequence[Varied]]) -> list[str]:
    """One sentence for each variant that some rows do not have."""
    told: list[str] = []
    for name, rows in variants.items():
        reasons = Counter(row.reason for row in rows if isinstance(row, Unvaried))
        if reasons:
            why = ", ".join(f"{count} × {reason}" for reason, count in sorted(reasons.items()))
            told.append(f"{name}: {reasons.total()} of {len(rows)} rows have no variant ({why}).")
    return told


def _varied(name: str, rows: Sequence[Row], options: VariantOptions) -> list[Varied]:
    made: list[Varied] = content.module("variants", name).vary(rows, options)
    if len(made) != len(rows) or any(
        not isinstance(new, Unvaried)
        and new != replace(row, passage=new.passage, question=new.question)
        for row, new in zip(rows, made, strict=False)
    ):
        raise InputError(
            f"The variant {name!r} does not give every row back with its id and answer.",
            "It may change passage and question alone; halubench/variants/base.py says how.",
        )
    return [Unvaried(UNCHANGED) if new == row else new for row, new in zip(rows, made, strict=True)]
