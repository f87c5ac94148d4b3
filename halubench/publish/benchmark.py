"""A benchmark: the run folder of ``halubench generate``, as a dataset with two configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from halubench import dataset
from halubench.audit import AuditReport
from halubench.errors import InputError
from halubench.publish.base import Bundle, addressed, format_is, read_as
from halubench.results import Estimate  # noqa: TC001  (pydantic needs it at run time)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from halubench.publish.base import PushOptions

_BESIDE = ("manifest.json", "rejected.jsonl")
_FOLDERS = ("data", "provenance", "audit", "review")
_FINISH = "Run the same halubench generate again to finish the folder."
_REVIEW = "Review these rows, or remove the folder review/."


class _Data(BaseModel):
    sha256: str
    rows: int
    pairs: int


class _Manifest(BaseModel):
    """What is read of ``manifest.json``."""

    format: Literal["halubench/manifest/1"]
    data: _Data


class _Part(BaseModel):
    error: Estimate


class _Review(BaseModel):
    """What is read of the report of a review."""

    sha256: str
    status: Literal["pass", "fail", "undecided"]
    limit: float
    overall: _Part


def matches(folder: Path) -> bool:
    return format_is(folder / "manifest.json", "halubench/manifest")


def bundle(folder: Path, repo: str, options: PushOptions) -> Bundle:
    """The rows, their provenance, the card, the manifest and the audit.

    Raises InputError: a part is missing, or the rows are not those that were audited.
    """
    made = read_as(folder / "manifest.json", _Manifest).data
    report = read_as(folder / "audit" / "audit.json", AuditReport)
    review = _review(folder)
    data = dataset.load(str(folder))
    told = {"manifest.json": made.sha256, "audit": report.sha256}
    for name, sha256 in (told | ({"review": review.sha256} if review else {})).items():
        if sha256 != data.sha256:
            what = f"{folder}: the rows in data/ are not those that {name} speaks of."
            raise InputError(what, _REVIEW if name == "review" else _FINISH)
    if not data.provenance:
        raise InputError(f"{folder} is not whole: it has no provenance/.", _FINISH)
    failing = (*_failing(report), *_reviewed(review))
    files: dict[str, bytes | Path] = {
        str(path.relative_to(folder)): path for path in sorted(_published(folder))
    }
    files["README.md"] = _card(folder, repo, failing, options).encode()
    return Bundle(
        kind="benchmark",
        repo_type="dataset",
        title=f"{made.pairs:,} pairs, {made.rows:,} rows",
        files=files,
        owned=_FOLDERS,
        rows=data.sha256,
        failing=failing,
    )


def _published(folder: Path) -> Iterator[Path]:
    for name in _FOLDERS:
        yield from (path for path in (folder / name).rglob("*") if _shown(path))
    yield from (folder / name for name in _BESIDE if (folder / name).is_file())


def _shown(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _failing(report: AuditReport) -> Iterator[str]:
    for gate in report.gates:
        if gate.status == "fail":
            value = "not measured" if gate.value is None else f"{gate.value:.3f}"
            yield f"{gate.name} ({gate.scope}): {value}, limit {gate.limit}"


def _review(folder: Path) -> _Review | None:
    path = folder / "review" / "report.json"
    return read_as(path, _Review) if path.is_file() else None


def _reviewed(found: _Review | None) -> Iterator[str]:
    """What people found against the labels, where they have read a sample."""
    if found and found.status == "fail":
        value = found.overall.error.value
        told = "not known" if value is None else f"{value:.3f}"
        yield f"Label error (people): {told}, limit at most {found.limit:.2f}"


def _card(folder: Path, repo: str, failing: tuple[str, ...], options: PushOptions) -> str:
    """The run's card with the repository's name in it, and with a notice before all text where gates
    were forced. Raises InputError where there is no card, or none with its metadata."""
    path = folder / "README.md"
    if not path.is_file():
        what = f"{folder} is not whole: it has no README.md."
        raise InputError(what, "Let halubench generate finish, then push.")
    if not (failing and options.force_gates):
        return addressed(path, repo)
    gates = "gate does" if len(failing) == 1 else "gates do"
    note = f"> **Published although {len(failing)} release {gates} not hold** (`--force-gates`):"
    return addressed(path, repo, "\n".join([note, ">", *(f"> - {one}" for one in failing)]))
