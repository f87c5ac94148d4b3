"""One reviewer's decisions: a file of JSON lines, each on disk before the next row is shown."""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, ClassVar, Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from halubench.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

Opinion = Literal["PASS", "FAIL", "unclear"]
OPINIONS: tuple[Opinion, ...] = get_args(Opinion)
_NAME = re.compile(r"[\w-]{1,40}")
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer said of one row. ``span``: the words of the answer that are wrong; ``note``:
    in their own words; ``seconds``: from showing the row to the decision."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)
    id: str
    opinion: Opinion
    span: str = ""
    note: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Undone:
    """The last decision, on that row, is taken back."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    undo: str


class Ledger:
    """The decisions of one reviewer, in the order they were made; one process at a time.

    A decision is appended and synced before :meth:`decide` returns, so that a kill loses nothing
    that was decided. :meth:`undo` appends as well: nothing that was said is ever rewritten.
    """

    def __init__(self, folder: Path, reviewer: str) -> None:
        """Open or create. Raises InputError (a name that makes no file name), OutputError (in use,
        cannot be written, damaged)."""
        if _NAME.fullmatch(reviewer) is None:
            what = f"--reviewer {reviewer!r} cannot name a file."
            raise InputError(what, "Use up to 40 letters, digits, - and _.")
        self.reviewer = reviewer
        self.path = folder / f"{reviewer}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._lock(self._file)
        _mend(self.path)
        self.decisions: dict[str, Decision] = read(self.path)

    def decide(self, decision: Decision) -> None:
        """Keep a decision; it is on disk on return. A second one of a row takes its place.

        Raises InputError for an opinion that is none, OutputError when it cannot be written.
        """
        if decision.opinion not in OPINIONS:
            what = f"{decision.opinion!r} is no opinion."
            raise InputError(what, f"Say one of {', '.join(OPINIONS)}.")
        if len(decision.note) > _MOST or len(decision.span) > _MOST:
            raise InputError("The note or span is too long.", f"Keep it under {_MOST} characters.")
        try:
            f"{decision.span}{decision.note}".encode()
        except UnicodeEncodeError as error:
            what = "The note or span holds half a character (a lone surrogate)."
            raise InputError(what, "Write it again.") from error
        self._append({name: value for name, value in asdict(decision).items() if value})
        self.decisions.pop(decision.id, None)
        self.decisions[decision.id] = decision

    def undo(self) -> str | None:
        """Take the last decision back; the id of its row, None where there is none."""
        if not self.decisions:
            return None
        last = next(reversed(self.decisions))
        self._append({"undo": last})
        del self.decisions[last]
        return last

    def close(self) -> None:
        """Let another process in."""
        self._file.close()

    def _append(self, line: dict[str, object]) -> None:
        try:
            self._file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _lock(self, file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            what = f"{self.reviewer} is reviewing in another window."
            raise OutputError(what, "Close it, or give another --reviewer.") from error


def ledgers(folder: Path) -> dict[str, dict[str, Decision]]:
    """Reviewer -> row id -> decision, of every reviewer in the folder. Raises OutputError."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.jsonl"))}


def read(path: Path) -> dict[str, Decision]:
    """The decisions that stand, by row id. Raises OutputError naming the line that is damaged."""
    found: dict[str, Decision] = {}
    lines = TypeAdapter[Decision | Undone](Decision | Undone)
    for number, line in _lines(path):
        try:
            told = lines.validate_json(line, strict=True)
        except ValidationError as error:
            raise _damaged(path, number, error.errors()[0]["msg"]) from error
        if isinstance(told, Decision):
            found.pop(told.id, None)
            found[told.id] = told
        elif found.pop(told.undo, None) is None:
            raise _damaged(path, number, f"it takes back {told.undo!r}, which is not decided")
    return found


def check_rows(path: Path, decisions: Iterable[str], sampled: Collection[str]) -> None:
    """Raise InputError where a decision is of a row that is not in the sample."""
    others = [name for name in decisions if name not in sampled]
    if others:
        first = f"{len(others)}, the first on {others[0]!r}"
        what = f"{path} holds decisions on rows that are not in this sample ({first})."
        raise InputError(what, "Give the data and folder that were reviewed.")


def _damaged(path: Path, number: int, told: str) -> OutputError:
    what = f"{path}, line {number} is not a decision ({told})."
    return OutputError(what, "Remove that line; the others stand.")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        whole = path.read_bytes()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}."
        raise OutputError(what, "Mend or remove it.") from error
    end = whole.rfind(b"\n") + 1  # What follows was cut while it was written: never decided.
    yield from enumerate(whole[:end].splitlines(), 1)


def _mend(path: Path) -> None:
    """Take off a last line that a kill cut in the middle, so that the next one stands by itself."""
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        os.truncate(path, end)


def _unwritable(path: Path, error: OSError) -> OutputError:
    what = f"{path} cannot be written: {error.strerror or error}."
    return OutputError(what, "Make room or give another --out; what was decided is kept.")
