"""A built leaderboard in other forms: a table, a picture, a folder for a Hugging Face Space."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import ValidationError

from halubench.errors import InputError, OutputError
from halubench.rank.board import Site
from halubench.rank.picture import draw
from halubench.rank.site import MARK

if TYPE_CHECKING:
    from pathlib import Path

Form = Literal["markdown", "csv", "json", "png", "space"]
_FILES = {"markdown": "leaderboard.md", "csv": "leaderboard.csv", "json": MARK}
SPACE = "README.md"


def export(folder: Path, form: Form, out: Path) -> Path:
    """Write the leaderboard built in ``folder`` to ``out``: a file, or a folder for "space".

    Raises InputError where ``folder`` holds no leaderboard, OutputError where ``out`` cannot be
    written or is not empty, MissingExtraError for a picture without matplotlib.
    """
    site = read_site(folder)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if form == "space":
            _space(site, folder, out)
        elif form == "png":
            draw(site, out)
        else:
            shutil.copyfile(folder / _FILES[form], out)
    except OSError as error:
        what = f"{out} cannot be written: {error.strerror or error}."
        raise OutputError(what, "Give another --out.") from error
    return out


def read_site(folder: Path) -> Site:
    """The leaderboard built in ``folder``. Raises InputError where there is none."""
    try:
        return Site.model_validate(json.loads((folder / MARK).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        what = f"{folder} holds no leaderboard that can be read ({type(error).__name__})."
        raise InputError(
            what, "Build it: halubench leaderboard build RESULTS --out DIR."
        ) from error


def _space(site: Site, folder: Path, out: Path) -> None:
    """A copy of the folder with the card that a static Space needs, ready to be pushed."""
    if out.exists() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty.", "Give a new folder by --out.")
    shutil.copytree(folder, out, dirs_exist_ok=True)
    (out / SPACE).write_text(space_card(site), encoding="utf-8")


def space_card(site: Site) -> str:
    """The README of a static Space: https://huggingface.co/docs/hub/spaces-config-reference."""
    front = {
        "title": site.title,
        "colorFrom": "indigo",
        "colorTo": "gray",
        "sdk": "static",
        "app_file": "index.html",
        "pinned": False,
        "short_description": "Hallucination judges, ranked in bands",
        "tags": ["leaderboard", "hallucination", "llm-as-a-judge"],
    }
    told = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    boards = "\n".join(
        f"- {' '.join(board.data.name.split())}: {len(board.rows)} judges, {board.data.rows} rows"
        for board in site.boards
    )
    return f"---\n{told}---\n\nThe page is `index.html`; the same figures are in `leaderboard.md`.\n\n{boards}\n"
