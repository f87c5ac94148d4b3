"""Licences of the sources joined for the card. Nothing is ever assumed: unknown stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HUB = frozenset(
    [
        "apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "pddl", "odc-by", "odbl", "gpl-3.0", "unlicense",
        *(f"cc-by{kind}-{version}" for kind in ("", "-sa", "-nc", "-nd", "-nc-sa", "-nc-nd")
          for version in ("2.0", "3.0", "4.0")),
    ]
)  # fmt: skip
"""Licence identifiers that the Hub knows (https://huggingface.co/docs/hub/repositories-licenses)."""
_STRICTER = ("nc-nd", "nc-sa", "-nc", "-nd", "gpl", "-sa", "odbl", "by")
"""Marks of terms, the strictest first; what has none of them is permissive."""


def hub_ids(licences: Iterable[str]) -> list[str]:
    """The Hub's identifiers of the licences, ``other`` for what it does not know; sorted."""
    return sorted({_hub_id(one) for one in licences})


def _hub_id(licence: str) -> str:
    name = licence.strip().lower()
    return name if name in _HUB else "other"


def strictest(licences: Iterable[str]) -> str:
    """The licence with the strictest terms; an unknown one is stricter than any."""
    return min(sorted(licences), key=_rank)


def _rank(licence: str) -> int:
    name = licence.strip().lower()
    if name not in _HUB:
        return -1
    return next((n for n, mark in enumerate(_STRICTER) if mark in name), len(_STRICTER))


def sentence(licences: Iterable[str]) -> str:
    """What a user must know, in plain words."""
    named = sorted(set(licences))
    unknown = [one for one in named if _hub_id(one) == "other"]
    if named in ([], [""]):
        return "No source names a licence: ask its owner before you use or share these rows."
    listed = ", ".join(one or "unknown" for one in named)
    if unknown and len(named) == 1:
        return (
            f"The licence of the source is {listed!r}, which is not a standard one: ask the owner of "
            "the texts before you use or share these rows."
        )
    if len(named) == 1:
        return f"All rows are derived from texts under {listed}, and stand under its terms."
    return (
        f"The rows are derived from texts under several licences ({listed}); each row's own is in the "
        f"provenance table. The strictest is {strictest(named) or 'unknown'}: keep to it if you use them together."
    )
