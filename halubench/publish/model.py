"""A trained judge: the folder of ``halubench train export``, as a model repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.publish.base import Bundle, addressed, format_is, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.publish.base import PushOptions

EXPORT, PARITY = "export.json", "parity.json"


def matches(folder: Path) -> bool:
    return format_is(folder / EXPORT, "halubench/export")


def bundle(folder: Path, repo: str, _options: PushOptions) -> Bundle:
    """Every file of the folder. Raises InputError without its parity table or its card: nobody
    should load weights that were not compared with those that were trained."""
    for name, what in ((PARITY, "parity table"), ("README.md", "model card")):
        if not (folder / name).is_file():
            raise InputError(f"{folder} has no {what} ({name}).", "Export it again with --data.")
    read_json(folder / PARITY)
    files: dict[str, bytes | Path] = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    files["README.md"] = addressed(folder / "README.md", repo).encode()
    return Bundle("model", "model", "judge", files, owned=("",))
