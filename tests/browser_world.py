"""A page of a built leaderboard in a browser, with all that it complained of and asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import board_world

from halubench import audit, dataset
from halubench.rank import (
    build_all,
    explorers,
    key_of,
    load_reported,
    read_entries,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

SKILLS = {"atlas": 0.95, "beacon": 0.9, "compass": 0.75, "drift": 0.6}
EACH = 24
CARDS: dict[str, dict[str, object]] = {
    "atlas": {"openness": "closed", "by": "Atlas Lab", "license": "Proprietary"},
    "beacon": {"openness": "weights", "parameters_b": 70, "license": "Llama-3.1"},
    "compass": {"openness": "open", "parameters_b": 8, "license": "MIT", "title": "Compass 8B"},
}


def aside(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function's result from another thread, where no event loop is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def built(folder: Path) -> Path:
    """A board of four judges on three times EACH questions, audited, with cards, costs and its rows."""
    data, results = aside(board_world.results, folder, SKILLS, EACH)
    for number, (name, card) in enumerate(CARDS.items()):
        (found,) = results.glob(f"*{name}*/results.json")
        board_world.describe(found, **card)
        board_world.spend(found, 0.9 / 4**number, 2.0 / 3**number)
    return site_of(data, results, folder / "site")


def site_of(data: Path, results: Path, out: Path) -> Path:
    """What ``halubench leaderboard build`` writes, with the audit of the rows."""
    loaded = dataset.load(str(data))
    entries = read_entries([results])
    cards = {key_of(entry.results): entry.card for entry in entries if entry.card}
    report = audit.audit_examples(loaded.examples[:80])
    audits = [report.model_copy(update={"sha256": loaded.sha256})]
    measured = [entry.results for entry in entries]
    site = build_all(measured, "Judges of ferry logs", load_reported(), audits, cards)
    write(site, out, explorers(site, entries, [loaded], 1000))
    return out


@dataclass
class Seen:
    """A page, the errors of its console, and where it asked for something."""

    page: Page
    base: str
    board: str
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, where: str = "") -> None:
        """Go to an address of the page: "" is the board, "rows", "judge/NAME", "#/about"."""
        self.page.goto("about:blank")
        place = where if where.startswith("#") else f"#/board/{self.board}/{where}"
        self.page.goto(self.base + place)
        self.page.wait_for_selector("html[data-ready] main h1")

    def texts(self, selector: str) -> list[str]:
        """The inner texts of what the selector finds."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def shows(self, selector: str, texts: list[str]) -> None:
        """Wait until what the selector finds reads so; the page draws after the event is over."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_text(texts)

    def ranks(self, judges: list[str]) -> None:
        """Wait until the ranking has these judges, from the top."""
        self.shows(".ranking tbody:first-of-type th.judge a", judges)

    def wide(self) -> int:
        """How wide the page is, in pixels."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth")
        return width

    def strangers(self, folder: Path) -> list[str]:
        """What was asked for that is neither a file of the folder nor of its server."""
        return [url for url in self.asked if not _own(url, folder, self.base)]


def _own(url: str, folder: Path, base: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).is_relative_to(folder.resolve())
    return parts.scheme in {"data", "about"} or parts.netloc == urlsplit(base).netloc


@contextmanager
def visit(browser: Browser, base: str, board: str, **context: Any) -> Iterator[Seen]:
    """A fresh context with a page; ``base`` is the address of ``index.html``."""
    opened = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    page = opened.new_page()
    page.set_default_timeout(15_000)
    seen = Seen(page, base, board)
    page.on("console", lambda said: said.type == "error" and seen.errors.append(said.text))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", lambda dialog: (seen.errors.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: seen.asked.append(request.url))
    yield seen
    opened.close()
