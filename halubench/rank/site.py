"""A leaderboard as one static folder: a page that asks for nothing from outside, and its tables."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from halubench import content
from halubench.errors import InputError, OutputError
from halubench.rank import view
from halubench.rank.tables import SITE, command_line, interval, percent, render_csv, render_markdown
from halubench.run import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from halubench.rank.board import Board, Site
    from halubench.rank.cases import Explorer

MARK = "leaderboard.json"
PARTS = ("data", "assets")
"""The folders of a site that are written anew each time."""
APP = f"{SITE}/app"
VENDOR = f"{SITE}/vendor"


def write(site: Site, out: Path, explorers: Mapping[str, Explorer] | None = None) -> list[Path]:
    """Write the page, its assets and data, and the tables; return the page and the tables.

    ``explorers``: rows to look into, by the sha256 of their board. The folder works from disk and
    from any web server. Raises OutputError when it cannot be written or is another's.
    """
    found = explorers or {}
    told = view.site_view(site, found, f"halubench {version('halubench')}")
    paths = publish(out, _texts(site), MARK)
    try:
        for part in PARTS:
            shutil.rmtree(out / part, ignore_errors=True)
        _write_assets(out / "assets")
        _put(out / "data", "site", told)
        for board in site.boards:
            _write_board(out / "data", board, found.get(board.data.sha256))
    except OSError as error:
        what = f"{out} cannot be written: {error.strerror or error}."
        raise OutputError(what, "Make room, or give another folder by --out.") from error
    return paths


def _texts(site: Site) -> dict[str, str]:
    return {
        "index.html": render_html(site),
        "leaderboard.md": render_markdown(site),
        "leaderboard.csv": render_csv(site.boards),
        MARK: site.model_dump_json(indent=1) + "\n",
    }


def render_html(site: Site) -> str:
    """The page before its script runs: the ranking as plain tables, every value escaped."""
    environment = Environment(
        loader=FileSystemLoader([root / SITE for root in content.roots()]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pc": percent, "band": interval}
    scripts = [path.name for path in content.files(APP, ".js")]
    return environment.get_template("index.html.jinja").render(site=site, scripts=scripts)


def _write_board(folder: Path, board: Board, explorer: Explorer | None) -> None:
    place = view.board_id(board)
    known = {name: number for number, name in enumerate(explorer.judges)} if explorer else {}
    for row in board.rows:
        letters = explorer.letters(known[row.judge]) if explorer and row.judge in known else ""
        told = view.judge_view(row, command_line(row.results), letters)
        _put(folder, f"{place}/judges/{view.slug(row)}", told)
    if explorer:
        batches = view.batches(explorer)
        _put(folder, f"{place}/cases", view.case_index(explorer, batches))
        said = explorer.said()
        for number, batch in enumerate(batches):
            _put(folder, f"{place}/cases/{number}", list(view.case_views(explorer, batch, said)))


def _put(folder: Path, name: str, value: object) -> None:
    """One part of the data as a script, which a page opened from disk may load (JSON it may not).

    ``<`` is written as an escape, so that no value can end the script or open a tag.
    """
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"HB.take({json.dumps(name)},{text})\n", encoding="utf-8")


def _write_assets(folder: Path) -> None:
    for path, data in _assets():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _assets() -> Iterator[tuple[str, bytes]]:
    """Path under ``assets`` and content of our own files, and of others' as they were vendored."""
    yield "style.css", content.find(f"{SITE}/style.css").read_bytes()
    for path in content.files(APP, ".js"):
        yield f"app/{path.name}", path.read_bytes()
    for entry in vendored():
        path = content.find(f"{VENDOR}/{entry['file']}")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            what = f"{path} is not the file of {entry['package']} {entry['version']}."
            raise InputError(what, "Restore it, or run scripts/vendor_site.py.")
        yield f"vendor/{entry['file']}", data


def vendored() -> list[dict[str, Any]]:
    """What each file in ``vendor/`` is: package, version, licence file, sha256."""
    entries: list[dict[str, Any]] = json.loads(
        content.find(f"{VENDOR}/vendor.json").read_text(encoding="utf-8")
    )
    return entries
