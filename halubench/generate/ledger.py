"""The count of every item through every stage. It adds up, or the run stops."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halubench.errors import HalubenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Json, Rejected


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage did: ``entered = kept + the sum of rejected``."""

    name: str
    entered: int
    kept: int
    rejected: dict[str, int]

    def json(self) -> dict[str, Json]:
        """For the manifest."""
        return {
            "stage": self.name,
            "entered": self.entered,
            "kept": self.kept,
            "rejected": dict(self.rejected),
        }


@dataclass(slots=True)
class Ledger:
    """Stages in order; what one keeps is what the next is given."""

    stages: list[Stage] = field(default_factory=list[Stage])
    rejected: list[Rejected] = field(default_factory=list["Rejected"])

    def close(self, name: str, entered: int, kept: int, rejected: Sequence[Rejected]) -> None:
        """Book a stage. Raises HalubenchError when a row was lost or made up."""
        before = self.stages[-1].kept if self.stages else entered
        if entered != before or entered != kept + len(rejected):
            raise HalubenchError(
                f"The counts of stage {name} do not add up: the stage before kept {before}, it was "
                f"given {entered}, kept {kept} and rejected {len(rejected)}.",
                "This is a fault of halubench: please report it with the manifest.",
            )
        reasons = Counter(kind(one.reason) for one in rejected)
        self.stages.append(Stage(name, entered, kept, dict(sorted(reasons.items()))))
        self.rejected.extend(rejected)

    def rows(self) -> int:
        """Rows that the sources held."""
        return self.stages[0].entered if self.stages else 0

    def left(self) -> int:
        """Items that are still in after the last stage."""
        return self.stages[-1].kept if self.stages else 0

    def top_reasons(self, count: int = 3) -> list[tuple[str, int]]:
        """The most frequent reasons over all stages, as ("stage: reason", number of rows)."""
        reasons = Counter(
            {
                f"{stage.name}: {reason}": number
                for stage in self.stages
                for reason, number in stage.rejected.items()
            }
        )
        return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:count]


def kind(reason: str) -> str:
    """The part of a reason that is counted: what stands before its details in brackets."""
    return reason.partition(" (")[0]
