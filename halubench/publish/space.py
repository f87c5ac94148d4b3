"""A leaderboard: the folder of ``halubench leaderboard build``, as a static Space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench.publish.base import Bundle

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.publish.base import PushOptions

_CARD = """---
title: Hallucination judges
sdk: static
app_file: index.html
pinned: false
tags:
- leaderboard
- hallucination
---

A leaderboard of hallucination judges, made with halubench. Everything is in this folder; nothing is
loaded from elsewhere.
"""


def matches(folder: Path) -> bool:
    return (folder / "index.html").is_file() and (folder / "leaderboard.json").is_file()


def bundle(folder: Path, _repo: str, _options: PushOptions) -> Bundle:
    """Every file of the folder, with a card where it has none of its own."""
    files: dict[str, bytes | Path] = {"README.md": _CARD.encode()}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            files[name.as_posix()] = path
    return Bundle("leaderboard", "space", "leaderboard", files, owned=("",))
