"""One tree of errors. Each says what is wrong, where, and the remedy; none shows a traceback."""

from __future__ import annotations


class HalubenchError(Exception):
    """Something the user can act on.

    Args:
        what: one clear sentence naming the file, row and field (or endpoint) and what is wrong.
        remedy: the next thing to do, as an imperative sentence.
    """

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class InputError(HalubenchError):
    """A file, row, field, option or URI that cannot be used as given."""

    exit_code = 2


class OutputError(HalubenchError):
    """A result that could not be written (full disk, read-only folder, a folder of another run)."""

    exit_code = 3


class EngineError(HalubenchError):
    """A model endpoint that refuses every request (dead, unauthorised, unknown model)."""

    exit_code = 4


class MissingExtraError(HalubenchError):
    """An optional part that is not installed."""

    exit_code = 5


class IncompleteError(HalubenchError):
    """The job stopped or ended before it was whole; what was done is kept and can be resumed."""

    exit_code = 75


class BudgetError(IncompleteError):
    """The cost ceiling was reached."""
