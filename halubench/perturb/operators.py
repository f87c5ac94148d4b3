"""The operators that a perturbation's ``rule`` may name. Each proposes exact edits of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench.perturb.exchange import exchange
from halubench.perturb.slips import operand, operation, shift
from halubench.perturb.table_edits import column, label, row
from halubench.perturb.value_edits import scale, sign, swap
from halubench.perturb.word_edits import choice, conclusion, flip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from halubench.perturb.definitions import Rule
    from halubench.perturb.ground import Ground, Proposal

OPERATORS: dict[str, Callable[[Ground, Rule], Iterator[Proposal]]] = {
    "swap": swap,
    "row": row,
    "column": column,
    "label": label,
    "exchange": exchange,
    "shift": shift,
    "operand": operand,
    "operation": operation,
    "scale": scale,
    "sign": sign,
    "flip": flip,
    "conclusion": conclusion,
    "choice": choice,
}
