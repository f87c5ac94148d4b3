"""``recorded:FILE`` and ``recorded:FILE#JUDGE``: verdicts that some judge gave elsewhere.

The file is joined to the data on ``id``. It is a ``predictions.parquet`` of ours, or any table
with ``id`` and one of ``verdict``, ``prediction`` or ``label_predicted``, or one whose ``judges``
column maps judge to verdict; then FILE alone stands for every judge in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from halubench.dataset import read_records
from halubench.errors import InputError
from halubench.records import Prediction, Unscored, Verdict
from halubench.results import JudgeInfo
from halubench.text import squeeze

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.records import Row

VERDICT_COLUMNS = ("verdict", "prediction", "label_predicted")
JUDGES_COLUMN = "judges"
ABSENT = "no recorded verdict"


@dataclass(frozen=True, slots=True)
class _Entry:
    row: int
    verdict: Verdict
    p_fail: float | None = None
    reasoning: str = ""


class RecordedJudge:
    """The verdicts of one judge in a file. Raises InputError naming file, row and field."""

    def __init__(self, path: Path, judge: str) -> None:
        self._path = path
        self._judge = judge
        self._entries = _read(path, judge)
        self._unused = 0

    def info(self) -> JudgeInfo:
        uri = f"recorded:{self._path.name}" + (f"#{self._judge}" if self._judge else "")
        return JudgeInfo(name=self._judge or _stem(self._path), uri=uri, kind="recorded")

    def warnings(self) -> list[str]:
        if not self._unused:
            return []
        return [f"{self._unused} recorded verdicts have ids that are not in the data."]

    async def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """A row without a recorded verdict is Unscored."""
        name = self.info().name
        self._unused = len(self._entries.keys() - {row.id for row in rows})
        absent = _Entry(0, Unscored(ABSENT))
        for row in rows:
            entry = self._entries.get(row.id, absent)
            yield Prediction(row.id, name, entry.verdict, entry.p_fail, entry.reasoning)


def open_judge(spec: str, options: JudgeOptions) -> RecordedJudge:  # noqa: ARG001  (the contract of judges)
    """The judge of ``FILE`` or ``FILE#JUDGE``. Raises InputError."""
    path, judge = _split(spec)
    return RecordedJudge(path, judge)


def expand(spec: str) -> list[str]:
    """``FILE`` becomes ``FILE#JUDGE`` for every judge of its ``judges`` column, in order of name."""
    path, judge = _split(spec)
    if judge:
        return [spec]
    judges = {name for _, fields in read_records(path) for name in _judges(fields)}
    return [f"{spec}#{name}" for name in sorted(judges)] or [spec]


def _split(spec: str) -> tuple[Path, str]:
    if Path(spec).exists() or "#" not in spec:
        return Path(spec), ""
    path, _, judge = spec.rpartition("#")
    return Path(path), judge


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _judges(fields: Mapping[str, object]) -> Mapping[str, object]:
    judges = fields.get(JUDGES_COLUMN)
    return judges if isinstance(judges, dict) else {}


def _read(path: Path, judge: str) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    named: set[str] = set()
    for row, fields in read_records(path):
        named |= _judges(fields).keys()
        key = fields.get("id")
        if key in (None, ""):
            raise InputError(f"{path}, row {row}: no id.", "Recorded verdicts are joined on id.")
        entry = _entry(path, row, fields, judge)
        if entry is None:
            continue
        earlier = entries.setdefault(str(key), entry)
        if earlier.verdict != entry.verdict:
            raise InputError(
                f"{path}, row {row}: id {key!r} has another verdict than in row {earlier.row}.",
                "Keep one verdict for each id and judge.",
            )
    if judge and judge not in named:
        raise InputError(
            f"{path} holds no judge {judge!r}.", f"It holds: {', '.join(sorted(named)) or 'none'}."
        )
    return entries


def _entry(path: Path, row: int, fields: Mapping[str, object], judge: str) -> _Entry | None:
    if judge:
        judges = _judges(fields)
        return _Entry(row, _verdict(judges[judge])) if judge in judges else None
    column = next((name for name in VERDICT_COLUMNS if name in fields), None)
    if column is None:
        raise InputError(
            f"{path}, row {row}: no column of verdicts.",
            f"Name it one of {', '.join(VERDICT_COLUMNS)}, or give a {JUDGES_COLUMN} object.",
        )
    reasoning = fields.get("reasoning")
    return _Entry(
        row,
        _verdict(fields[column], fields.get("unscored_reason")),
        _p_fail(path, row, fields.get("p_fail")),
        reasoning if isinstance(reasoning, str) else "",
    )


def _verdict(value: object, reason: object = None) -> Verdict:
    """PASS or FAIL in any case; anything else is Unscored, saying what was recorded."""
    text = squeeze(str(value)) if value is not None else ""
    upper = text.upper()
    if upper == "PASS":
        return "PASS"
    if upper == "FAIL":
        return "FAIL"
    if reason:
        return Unscored(str(reason))
    return Unscored(f"recorded as {text[:40]!r}" if text else "recorded as empty")


def _p_fail(path: Path, row: int, value: object) -> float | None:
    if value in (None, ""):
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise InputError(f"{path}, row {row}: p_fail {value!r} is not a number in [0, 1].")
    return number
