"""The page in a real browser, from disk and from ``serve``: what a reader does with it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from browser_world import CARDS, SKILLS, Seen, built, visit

from halubench.rank.serve import server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser
VIEWS = ["", "rows", "#/reported", "#/about"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def told(folder: Path) -> dict:
    """The one board of ``leaderboard.json``."""
    (board,) = json.loads((folder / "leaderboard.json").read_text("utf-8"))["boards"]
    return board


@pytest.fixture
def board(chromium, folder: Path, told: dict) -> Iterator[Seen]:
    """The page from disk; nothing may go wrong on it, and nothing come from elsewhere."""
    name = told["data"]["sha256"][:10]
    with visit(chromium, (folder / "index.html").as_uri(), name) as seen:
        seen.open()
        yield seen
        assert seen.errors == []
        assert seen.strangers(folder) == []


def judged(told: dict, name: str) -> dict:
    (results,) = (row["results"] for row in told["rows"] if row["judge"] == name)
    return results


def test_the_ranking_is_that_of_the_results_and_is_sorted_by_any_column(board: Seen, told) -> None:
    by_macro = [row["judge"].replace("compass", "Compass 8B") for row in told["rows"]]
    board.ranks(by_macro)
    assert board.texts(".ranking td.rank")[0] == told_band(told["rows"][0])
    board.page.click("th.cost button")
    board.page.wait_for_selector("th.cost[aria-sort=ascending]")
    board.ranks(["Compass 8B", "beacon", "atlas", "drift"])
    board.page.click("th.cost button")
    board.ranks(["atlas", "beacon", "Compass 8B", "drift"])
    board.page.go_back()
    board.page.wait_for_selector("th.cost[aria-sort=ascending]")
    board.page.go_back()
    board.ranks(by_macro)


def told_band(row: dict) -> str:
    best, worst = row["rank_best"], row["rank_worst"]
    return str(best) if best == worst else f"{best}–{worst}"


def test_the_keyboard_sorts_and_skips(board: Seen) -> None:
    board.page.keyboard.press("Tab")
    assert board.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    board.page.keyboard.press("Enter")
    assert board.page.evaluate("document.activeElement.id") == "main"
    board.open("#/")
    board.page.focus("th.f1 button")
    board.page.keyboard.press("Enter")
    board.page.wait_for_selector("th.f1[aria-sort=descending]")
    assert board.page.evaluate("document.activeElement.textContent").startswith("F1")


def test_filters_leave_judges_and_keep_their_ranks(board: Seen) -> None:
    names = board.texts(".ranking tbody:first-of-type th.judge a")
    before = dict(zip(names, board.texts(".ranking td.rank"), strict=False))
    board.page.select_option("label:has-text('Openness') select", "weights")
    board.ranks(["beacon"])
    assert board.texts(".ranking td.rank")[0] == before["beacon"]
    board.page.select_option("label:has-text('Openness') select", "")
    board.page.select_option("label:has-text('Size') select", "middle")
    board.ranks(["Compass 8B"])
    board.page.select_option("label:has-text('Licence') select", "Llama-3.1")
    board.ranks([])
    board.shows(".ranking td.none", ["No judge is left by these filters."])
    board.open()
    board.page.fill("input[type=search]", "atlas lab")
    board.ranks(["atlas"])


@pytest.mark.parametrize("source", ["ferries", "trials"])
def test_a_part_of_the_rows_is_ranked_by_itself(board: Seen, told, source: str) -> None:
    board.page.select_option("label:has-text('Rows') select", f"source/{source}")
    shares = [
        (row["results"]["sources"][source]["accuracy"]["value"], row["judge"])
        for row in told["rows"]
    ]
    wanted = [f"{100 * share:.1f}" for share, _ in sorted(shares, reverse=True)]
    board.shows(".ranking td.acc strong", wanted)
    assert f"slice=source%2F{source}" in board.page.url
    board.page.reload()
    board.page.wait_for_selector(".ranking td.acc strong")
    assert board.page.input_value("label:has-text('Rows') select") == f"source/{source}"


def test_the_heat_map_gives_every_source_with_its_interval(board: Seen, told) -> None:
    rows = len(told["rows"])
    assert len(board.texts(".heat td b")) == 3 * rows
    first = told["rows"][0]["results"]["sources"]["ferries"]["accuracy"]
    assert board.texts(".heat td")[0].split() == [
        f"{100 * first['value']:.1f}",
        f"{100 * first['low']:.1f}–{100 * first['high']:.1f}",
    ]


def test_the_audit_stands_before_the_ranking(board: Seen) -> None:
    top = {name: board.page.locator(name).first.bounding_box()["y"] for name in (".alert", "table")}
    assert "This benchmark leaks." in board.page.inner_text(".alert")
    board.page.click(".alert summary")
    assert "length" in board.page.inner_text(".alert table")
    assert top[".alert"] < board.page.locator(".ranking").bounding_box()["y"]


def test_charts_are_drawn_and_told_in_words(board: Seen) -> None:
    board.page.wait_for_selector(".chart svg")
    labels = board.texts(".chart p")
    assert any(label.startswith("Accuracy against cost: ") for label in labels)
    assert any(label.startswith("Accuracy against speed: ") for label in labels)
    assert sum("atlas" in label for label in labels) >= 4
    assert board.page.locator(".chart circle").count() >= 2 * len(CARDS)


def test_a_judges_page_gives_its_counts_and_its_command(board: Seen, told) -> None:
    board.page.click(".ranking a:text-is('drift')")
    board.page.wait_for_selector(".confusion")
    assert board.page.inner_text("h1") == "drift"
    assert board.page.title().startswith("drift")
    counts = [int(text.split()[0]) for text in board.texts(".confusion td b")]
    drift = judged(told, "drift")["overall"]
    assert sum(counts) == drift["n"]
    assert counts[0] + counts[4] == round(drift["accuracy"]["value"] * drift["n"])
    assert counts[2] + counts[5] == drift["unscored"]
    assert "halubench evaluate --model recorded:drift.jsonl" in board.page.inner_text(".command")
    board.page.go_back()
    board.page.wait_for_selector(".ranking")


def test_reported_figures_stand_on_a_page_of_their_own(board: Seen) -> None:
    assert "Lynx" not in board.page.inner_text("main")
    board.page.click("nav a:text-is('Reported')")
    board.page.wait_for_selector(".reported")
    assert "never ranked" in board.page.inner_text("main")
    assert board.page.locator(".reported .badge").count() == 16
    dashed = board.page.eval_on_selector(".reported .box", "e => getComputedStyle(e).borderStyle")
    assert dashed == "dashed"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_light_and_dark_follow_the_system_until_one_is_chosen(
    chromium, folder, told, theme
) -> None:
    base, name = (folder / "index.html").as_uri(), told["data"]["sha256"][:10]
    with visit(chromium, base, name, color_scheme=theme) as seen:
        seen.open()
        other = {"light": "dark", "dark": "light"}[theme]
        paint = "getComputedStyle(document.body).backgroundColor"
        first = seen.page.evaluate(paint)
        assert seen.page.evaluate("document.documentElement.dataset.theme") == theme
        for _ in range(1 if theme == "dark" else 2):
            seen.page.click("button.theme")
        seen.page.wait_for_selector(f"html[data-theme={other}]")
        assert seen.page.evaluate(paint) != first
        seen.open()
        assert seen.page.evaluate("document.documentElement.dataset.theme") == other


def test_a_phone_shows_every_view_without_scrolling_sideways(chromium, folder, told) -> None:
    base, name = (folder / "index.html").as_uri(), told["data"]["sha256"][:10]
    with visit(chromium, base, name, viewport={"width": 360, "height": 740}) as seen:
        seen.open("rows")
        seen.page.click(".list a >> nth=0")
        seen.page.wait_for_selector(".twin")
        assert seen.wide() <= 360
        for view in VIEWS:
            seen.open(view)
            assert seen.wide() <= 360, view
        seen.open()
        seen.page.click(".ranking a >> nth=0")
        seen.page.wait_for_selector(".confusion")
        assert seen.wide() <= 360


def test_paper_shows_figures_and_no_controls(board: Seen) -> None:
    board.page.emulate_media(media="print")
    assert not board.page.is_visible(".filters")
    assert board.page.is_visible(".ranking")
    assert len(board.page.pdf()) > 10_000


def test_without_javascript_the_ranking_is_still_told(chromium, folder, told) -> None:
    with visit(chromium, "", "", java_script_enabled=False) as seen:
        seen.page.goto((folder / "index.html").as_uri())
        assert all(name in seen.page.inner_text("table") for name in SKILLS)


def test_an_address_of_nothing_says_so(board: Seen) -> None:
    board.open("judge/nobody")
    assert "no such page" in board.page.inner_text("h1")


def test_the_server_gives_the_same_page_to_this_machine(chromium, folder: Path, told) -> None:
    with server(folder) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        assert serving.server_address[0] == "127.0.0.1"
        base = f"http://127.0.0.1:{serving.server_port}/"
        with visit(chromium, base, told["data"]["sha256"][:10]) as seen:
            seen.open()
            assert len(seen.texts(".ranking td.rank")) == len(SKILLS) + 2
            seen.open("rows")
            seen.page.click(".list a >> nth=0")
            seen.page.wait_for_selector(".twin mark")
            assert seen.errors == []
            assert seen.strangers(folder) == []
        serving.shutdown()
