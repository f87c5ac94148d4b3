"""What is done with a passage longer than a judge's context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from halubench.errors import InputError

Overflow = Literal["error", "truncate", "window"]
POLICIES: tuple[Overflow, ...] = get_args(Overflow)


@dataclass(frozen=True, slots=True)
class LengthOptions:
    """``overflow``: ``error`` (stop before anything is asked), ``truncate`` (the passage's start
    is judged) or ``window`` (overlapping windows are judged; one that supports the answer is
    enough)."""

    overflow: Overflow = "error"

    def __post_init__(self) -> None:
        """Raise InputError for an unknown policy."""
        if self.overflow not in POLICIES:
            known = ", ".join(POLICIES)
            raise InputError(f"There is no --overflow {self.overflow!r}.", f"Known: {known}.")


def too_long(judge: str, ids: list[str], rows: int, limit: int) -> InputError:
    """The error for rows that do not fit, under the policy ``error``."""
    return InputError(
        f"{len(ids)} of {rows} rows do not fit the {limit} tokens of {judge}, "
        f"the first of them id {ids[0]!r}.",
        "Give --overflow window (judge overlapping windows) or --overflow truncate.",
    )
