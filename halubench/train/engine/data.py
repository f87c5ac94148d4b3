"""What ``halubench train prepare`` wrote, as rows to learn and rows to validate on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halubench import dataset
from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.records import Example

TRAIN, VALIDATION = "train", "validation"
_REMEDY = "Give the folder that `halubench train prepare` wrote."


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the example, the chat that asks for its verdict and the chat that gives it.

    ``prompt`` and ``completion`` are lists of ``{"role", "content"}``.
    """

    example: Example
    prompt: list[dict[str, str]]
    completion: list[dict[str, str]]

    @property
    def id(self) -> str:
        """The example's id."""
        return self.example.id


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared folder. ``manifest`` is its ``manifest.json``; validation may be empty."""

    path: Path
    manifest: dict[str, Any]
    train: list[Row]
    validation: list[Row]

    @property
    def sha256(self) -> dict[str, str]:
        """Of the rows, by split: what tells this data from other data."""
        return {name: facts["sha256"] for name, facts in self.manifest["splits"].items()}


def read(path: Path) -> Prepared:
    """Raises InputError where the folder is not a prepared one, or was changed since."""
    try:
        manifest = json.loads((path / "manifest.json").read_text("utf-8"))
        if not str(manifest["format"]).startswith("halubench/sft/"):
            raise InputError(f"{path} is {manifest['format']}, no training data.", _REMEDY)
        splits = {name: _rows(path, name, facts["rows"]) for name, facts in _splits(manifest)}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path} is no prepared training data: {error}.", _REMEDY) from error
    return Prepared(path, manifest, splits[TRAIN], splits.get(VALIDATION, []))


def _splits(manifest: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(manifest["splits"].items())


def _rows(path: Path, split: str, count: int) -> list[Row]:
    if not count:
        return []
    chats = (path / "prompt_completion" / f"{split}.jsonl").read_text("utf-8").splitlines()
    examples = dataset.load(str(path), split=split).examples
    if not len(chats) == len(examples) == count:
        raise InputError(
            f"{path}, split {split}: {len(chats)} chats, {len(examples)} examples and {count} rows "
            "in manifest.json do not agree.",
            "Prepare the data again.",
        )
    found = [json.loads(chat) for chat in chats]
    return [
        Row(example, chat["prompt"], chat["completion"])
        for example, chat in zip(examples, found, strict=True)
    ]
