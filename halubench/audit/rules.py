"""The best one-condition rule of a shortcut, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halubench.audit.report import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Wording:
    """How a threshold rule is told, ``{}`` standing for the threshold: when the values above it
    are called FAIL, and when those at most it are."""

    above: str
    at_most: str


def quantity(name: str) -> Wording:
    """Wording for a plain quantity."""
    return Wording(f"{name} above {{}} is FAIL", f"{name} of at most {{}} is FAIL")


def presence(condition: str) -> Wording:
    """Wording for a condition that holds (1) or does not (0)."""
    return Wording(f"{condition} is FAIL", f"{condition} is PASS")


def threshold_rule(values: NDArray[np.float64], fail: NDArray[np.bool_], wording: Wording) -> Rule:
    """The cut of ``values`` (n,) with the best balanced accuracy, in either direction.

    It is chosen on the rows it is measured on: one threshold, so its optimism is small.
    """
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(values[order]) > 0, True])
    fails_low = np.cumsum(fail[order])[ends]
    passes_low = np.cumsum(~fail[order])[ends]
    gain = fails_low / max(1, int(fail.sum())) - passes_low / max(1, int((~fail).sum()))
    cut = int(np.argmax(np.abs(gain)))
    threshold = float(values[order][ends[cut]])
    if gain[cut] > 0:
        return rule(wording.at_most.format(_plain(threshold)), values <= threshold, fail)
    return rule(wording.above.format(_plain(threshold)), values > threshold, fail)


def presence_rule(condition: str, held: NDArray[np.bool_], fail: NDArray[np.bool_]) -> Rule:
    """The better of "``condition`` is FAIL" and "``condition`` is PASS"."""
    is_fail = rule(f"{condition} is FAIL", held, fail)
    is_pass = rule(f"{condition} is PASS", ~held, fail)
    return max(is_fail, is_pass, key=lambda each: each.balanced_accuracy)


def rule(text: str, called: NDArray[np.bool_], fail: NDArray[np.bool_]) -> Rule:
    """The rule that calls the rows of ``called`` (n,) FAIL and all others PASS."""
    fails_called = float(np.mean(called[fail])) if fail.any() else 0.5
    passes_left = float(np.mean(~called[~fail])) if (~fail).any() else 0.5
    return Rule(
        text=text,
        accuracy=float(np.mean(called == fail)),
        balanced_accuracy=(fails_called + passes_left) / 2,
    )


def best(rules: Iterable[Rule]) -> Rule | None:
    """The rule with the best balanced accuracy, the first of equals."""
    return max(rules, key=lambda each: each.balanced_accuracy, default=None)


def _plain(value: float) -> str:
    return f"{value:.3g}" if value != round(value) else f"{value:,.0f}"
