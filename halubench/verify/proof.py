"""What code decides by itself: numbers, units and dates are compared, not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench import values

if TYPE_CHECKING:
    from halubench.records import Candidate, Edit
    from halubench.values import Value


def proves_fail(candidate: Candidate) -> bool:
    """Whether code alone proves the FAIL answer wrong.

    It does where the edit puts one value in the place of another of its kind, the passage states
    the true one, and states the wrong one nowhere in any spelling or rounding: then no reading of
    the passage supports the answer. A value that has to be worked out proves nothing.
    """
    old = _value_at(candidate.base, candidate.fail_edit, len(candidate.fail_edit.old))
    new = _value_at(candidate.fail_answer, candidate.fail_edit, len(candidate.fail_edit.new))
    if old is None or new is None or old.kind != new.kind:
        return False
    stated = values.find(candidate.item.passage)
    known = any(values.close(old, one) for one in stated)
    return known and not any(values.close(new, one) for one in stated)


def _value_at(text: str, edit: Edit, length: int) -> Value | None:
    """The one value that the edited span of ``length`` characters is, or is the head of."""
    end = edit.start + length
    found = [one for one in values.find(text) if one.start < end and edit.start < one.end]
    return found[0] if len(found) == 1 else None
