"""Two reviewers in a real browser: keys, marks, undo, and a kill between decisions loses nothing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from review_world import write

from halubench.review.ledger import read

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("Debian's chromium is not installed", allow_module_level=True)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
FLAGS += ["--disable-component-update", "--disable-quic"]
MAIN = "from halubench.cli import main; main()"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def reviewing(data: Path, who: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = ["review", str(data), "--reviewer", who, "--per-source", "3"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    link = process.stdout.readline().split()[-1]
    yield process, link
    process.kill()
    process.communicate()


@contextmanager
def page_of(browser, link: str):
    context = browser.new_context()
    page = context.new_page()
    page.errors = []
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(link)
    page.wait_for_selector("#row:not([hidden])")
    yield page
    context.close()


def press(page, key: str, done: int) -> None:
    page.keyboard.press(key)
    playwright.expect(page.locator("#count")).to_have_text(f"{done} of 6", timeout=20_000)


def test_two_reviewers_read_to_the_end_though_one_is_killed(browser, tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    decided: dict[str, dict[str, str]] = {"ana": {}, "bo": {}}
    with reviewing(data, "ana") as (process, link), page_of(browser, link) as page:
        for n, key in enumerate("pfu", 1):
            press(page, key, n)
        os.kill(process.pid, signal.SIGKILL)
    assert [one.opinion for one in read(data / "review" / "ana.jsonl").values()] == [
        "PASS",
        "FAIL",
        "unclear",
    ]
    with reviewing(data, "ana") as (_, link), page_of(browser, link) as page:
        assert page.inner_text("#count") == "3 of 6"
        press(page, "z", 2)
        for n in (3, 4, 5, 6):
            press(page, "p", n)
        page.wait_for_selector("#end:not([hidden])")
        assert page.errors == []
    with reviewing(data, "bo") as (_, link), page_of(browser, link) as page:
        for n in range(1, 7):
            press(page, "f", n)
    for who in decided:
        found = read(data / "review" / f"{who}.jsonl")
        decided[who] = {name: one.opinion for name, one in found.items()}
    assert set(decided["ana"]) == set(decided["bo"])
    assert len(decided["ana"]) == 6


def test_hostile_rows_are_text_and_the_note_takes_letters(browser, tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    with reviewing(data, "ana") as (_, link), page_of(browser, link) as page:
        assert page.title() == "Review – halubench"
        assert "<script>" in page.inner_text("#passage")
        assert page.query_selector("#passage script, #passage img, #answer img") is None
        assert page.locator("#passage td").count() == 4
        page.keyboard.press("n")
        page.keyboard.type("pfuz")
        assert page.input_value("#note") == "pfuz"
        page.keyboard.press("Escape")
        page.evaluate(
            "() => { const text = document.querySelector('#answer').firstChild;"
            " document.getSelection().setBaseAndExtent(text, 0, text, 6); }"
        )
        page.wait_for_selector("#span:not([hidden])")
        press(page, "f", 1)
        assert page.errors == []
    (said,) = read(data / "review" / "ana.jsonl").values()
    assert (said.span, said.note) == ("Answer", "pfuz")


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_fits_its_window(browser, tmp_path: Path, width: int) -> None:
    data = write(tmp_path / "data")
    with reviewing(data, "ana") as (_, link), page_of(browser, link) as page:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("PASS", "FAIL", "unclear", "undo"):
            assert page.is_visible(f"#{name}")
