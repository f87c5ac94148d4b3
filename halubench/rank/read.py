"""Finds ``results.json`` and ``audit.json`` in folders; every fault names its file and field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from halubench.audit.report import AuditReport
from halubench.errors import InputError
from halubench.predictions import PREDICTIONS, RESULTS
from halubench.rank.board import Key, key_of
from halubench.rank.judge_card import FILE, JudgeCard, load_card
from halubench.rank.recount import recount
from halubench.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Seen = Callable[[int, int], object]

_Model = TypeVar("_Model", bound=BaseModel)
_SHA256 = re.compile("[0-9a-f]{64}")
_DIGITS = 18
_SECRET_NAME = re.compile(r"key|token|secret|passw|authorization|cookie", re.IGNORECASE)
_SECRETS = (
    (re.compile(r"(?<=://)[^/@\s]+@"), ""),
    (re.compile(r"\b(sk|pk|hf|ghp|gsk|xai)[-_][\w-]{12,}"), "[hidden]"),
    (re.compile(r"(?i)\bbearer\s+\S+"), "Bearer [hidden]"),
    (re.compile(r"(?i)\b([\w-]*(?:key|token|secret|password))=[^&\s]+"), r"\1=[hidden]"),
)
_COUNTS = ("prompt_tokens", "completion_tokens", "max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``results.json`` and what lies beside it; ``predictions`` may not exist."""

    path: Path
    results: Results
    card: JudgeCard | None

    @property
    def predictions(self) -> Path:
        """Where each row's verdict is, if it was kept."""
        return self.path.with_name(PREDICTIONS)


def read_results(folders: Sequence[Path]) -> list[Results]:
    """The results of :func:`read_entries`."""
    return [entry.results for entry in read_entries(folders)]


def read_entries(folders: Sequence[Path], seen: Seen | None = None) -> list[Entry]:
    """Every ``results.json`` under the folders; copies of one result count once.

    ``seen`` is told after each how many of how many were read. Raises InputError: no such folder, none found, not readable, not what the predictions beside it
    give, or two different results for one judge (name and prompt) on the same data.
    """
    found: dict[Key, Entry] = {}
    paths = find_results(folders)
    for number, path in enumerate(paths, 1):
        entry = read_entry(path)
        known = found.setdefault(key_of(entry.results), entry)
        if known.results != entry.results:
            raise InputError(
                f"{known.path} and {path} are two different results of "
                f"{entry.results.judge.name!r} on the same data.",
                "Remove one of them.",
            )
        if seen:
            seen(number, len(paths))
    return list(found.values())


def find_results(folders: Sequence[Path]) -> list[Path]:
    """Every ``results.json`` under the folders. Raises InputError where there is none."""
    found = _find(folders, RESULTS)
    if not found:
        raise InputError(
            f"There is no results.json under {', '.join(map(str, folders))}.",
            "Run halubench evaluate first, and give its --out folder.",
        )
    return found


def read_entry(path: Path, *, slowly: bool = False) -> Entry:
    """One result, checked against its schema and counted again from its predictions (``slowly``:
    see :func:`halubench.rank.recount.recount`).

    Raises InputError naming file and field.
    """
    results = _anywhere(_parse(path, Results))
    if not _SHA256.fullmatch(results.data.sha256):
        raise InputError(
            f"{path}: field data.sha256 is {results.data.sha256[:20]!r}, which is no sha256.",
            "Evaluate this judge again.",
        )
    if not results.judge.name.strip():
        raise InputError(f"{path}: field judge.name is empty.", "Evaluate this judge again.")
    recount(results, path.with_name(PREDICTIONS), slowly=slowly)
    return Entry(path, results, load_card(path.with_name(FILE)))


def _anywhere(results: Results) -> Results:
    """The same without the folders of the machine it was measured on, which are nobody's business."""
    ref = Path(results.data.ref)
    if not ref.is_absolute():
        return results
    return results.model_copy(update={"data": results.data.model_copy(update={"ref": ref.name})})


def read_audits(
    folders: Sequence[Path], chosen: Path | None, measured: Sequence[Results]
) -> list[AuditReport]:
    """The audits found under the folders, the ``chosen`` file last, so that it counts.

    Raises InputError for a file that is not an audit, or when the chosen one is of other rows than
    any of the results ``measured``.
    """
    found = [_parse(path, AuditReport) for path in _find(folders, "audit.json")]
    if chosen is None:
        return found
    if not chosen.is_file():
        raise InputError(f"--audit {chosen} is no file.", "Give the audit.json of halubench audit.")
    audit = _parse(chosen, AuditReport)
    refs = {each.data.sha256: each.data.ref for each in measured}
    if audit.sha256 not in refs:
        what = f"{chosen} is the audit of other rows than those of the results."
        raise InputError(what, f"Audit what was judged: halubench audit {min(refs.values())}.")
    return [*found, audit]


def _find(folders: Sequence[Path], name: str) -> list[Path]:
    for folder in folders:
        if not folder.exists():
            raise InputError(f"{folder} does not exist.", "Give a folder of halubench evaluate.")
    files = {
        path.resolve(): path
        for folder in folders
        for path in (folder.rglob(name) if folder.is_dir() else [folder])
        if path.name == name
    }
    return sorted(files.values())


def _parse(path: Path, model: type[_Model]) -> _Model:
    if not path.is_file():
        raise InputError(f"{path} is no file.", "Remove it.")
    try:
        raw = json.loads(path.read_text("utf-8"), parse_int=_whole, parse_constant=_no_number)
        json.dumps(raw, ensure_ascii=False).encode()  # half a character, escaped, is a ValueError
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.", "Write it again.") from error
    wanted = model.model_fields["format"].default
    if not isinstance(raw, dict) or raw.get("format") != wanted:
        given: object = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise InputError(
            f"{path}: field format is {given!r}, not {wanted!r}.",
            "Write it with this version of halubench.",
        )
    try:
        return model.model_validate(hide(raw))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: field {field}: {first['msg']}.", "Write it again.") from error


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"the number {digits[:_DIGITS]}… is too large")
    return int(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def hide(value: Any, name: str = "") -> Any:  # noqa: ANN401  (any JSON value)
    """The same JSON value with what looks like a credential replaced, wherever it stands."""
    if isinstance(value, dict):
        return {key: hide(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [hide(each, name) for each in value]
    if not isinstance(value, str):
        return value
    if _SECRET_NAME.search(name) and name not in _COUNTS:
        return "[hidden]"
    for pattern, instead in _SECRETS:
        value = pattern.sub(instead, value)
    return value
