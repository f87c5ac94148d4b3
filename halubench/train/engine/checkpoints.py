"""Which checkpoint a run goes on from: the newest that was written whole."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = "whole"
"""The file that ends a checkpoint: without it the process died while writing."""
_NAME = re.compile(r"checkpoint-(\d+)")
_SHARDED = "pytorch_model_fsdp_0"


def step_of(path: Path) -> int:
    """The optimizer step after which it was written."""
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else -1


def finish(path: Path) -> None:
    """Say that the checkpoint is whole."""
    (path / WHOLE).touch()


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint of ``folder``; None where there is none."""
    known = [path for path in folder.glob("checkpoint-*") if (path / WHOLE).exists()]
    return max(known, key=step_of, default=None)


def clear_broken(folder: Path) -> None:
    """Remove what a killed process left half written, which a trainer would take for whole."""
    for path in folder.glob("checkpoint-*"):
        if step_of(path) >= 0 and not (path / WHOLE).exists():
            shutil.rmtree(path)


def check_form(path: Path, *, sharded: bool) -> None:
    """Raise InputError where one process would read what several wrote, or the reverse."""
    was = (path / _SHARDED).is_dir()
    if was != sharded:
        one, other = ("several processes", "one") if was else ("one process", "several")
        raise InputError(
            f"{path} was written by {one} and would be read by {other}.",
            f"Go on with {one}; their number may differ otherwise.",
        )
