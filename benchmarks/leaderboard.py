"""The page with 200 judges on 14,900 rows: built, opened, sorted and scrolled in Debian's chromium.

Needs Playwright and chromium. Prints seconds, megabytes and milliseconds; asserts nothing. Sorting
is also timed against what a browser cannot do without: moving the same rows in the document.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import board_world

from halubench import dataset, predictions
from halubench.floors import FLOORS, Labelled, floor
from halubench.metrics import summary
from halubench.predictions import Judged
from halubench.rank import Entry, build_all, explorers, write
from halubench.rank.recount import recount
from halubench.records import Prediction, Unscored
from halubench.results import DataInfo, JudgeInfo, Results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

JUDGES, ROWS, KINDS = 200, 14_900, 10
SORT = """async () => {
  const head = document.querySelector('th.f1'), times = [];
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    const sorted = new Promise((done) => new MutationObserver((_, o) => { o.disconnect(); done(); })
      .observe(head, { attributes: true, attributeFilter: ['aria-sort'] }));
    head.querySelector('button').click();
    await sorted;
    document.body.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[6], worst: times[11] };
}"""
MOVE = """() => {
  const body = document.querySelector('.ranking tbody');
  for (let i = 0; i < 12; i++) {
    [...body.rows].reverse().forEach((row) => body.append(row));
    document.body.getBoundingClientRect();
  }
}"""
SCROLL = """async () => {
  const list = document.querySelector('.list'), times = [];
  for (let i = 1; i <= 60; i++) {
    const start = performance.now();
    list.scrollTop = (i * list.scrollHeight) / 61;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[30], worst: times[59], items: list.querySelectorAll('li').length };
}"""


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what:<44}{time.perf_counter() - start:8.1f} s")


def world(folder: Path) -> tuple[dataset.Dataset, list[Entry]]:
    """A benchmark of twins, and judges of KINDS skills from .5 to .97, each under many names."""
    examples, origins = board_world.twins(ROWS // 6 + 1)
    dataset.write(folder / "bench", examples[:ROWS], origins)
    data = dataset.load(str(folder / "bench"))
    draw = np.random.default_rng(0)
    entries = []
    for kind in range(KINDS):
        place = folder / f"skill-{kind}"
        place.mkdir()
        judged = _judged(data, draw, 0.5 + 0.47 * kind / KINDS)
        predictions.write(place / predictions.PREDICTIONS, predictions.table(judged))
        for number in range(kind, JUDGES, KINDS):
            told = _results(f"judge-{number:03}", data, judged, entries)
            entries.append(Entry(place / predictions.RESULTS, told, None))
    return data, entries


def _judged(data: dataset.Dataset, draw: np.random.Generator, skill: float) -> list[Judged]:
    right, lost = draw.random(len(data.examples)) < skill, draw.random(len(data.examples)) < 0.01
    sure = draw.uniform(0.5, 1, len(data.examples))
    found = []
    for row, good, gone, share in zip(data.examples, right, lost, sure, strict=True):
        fail = (row.label == "FAIL") == bool(good)
        verdict = Unscored("no SCORE") if gone else "FAIL" if fail else "PASS"
        said = Prediction(
            row.id, "", verdict, p_fail=float(share if fail else 1 - share), reasoning="A reason.",
            cost_usd=1e-4 * skill, latency_s=float(skill), attempts=1,
        )  # fmt: skip
        origin = data.provenance[row.id]
        place = (origin.group, origin.pair_id, origin.domain, origin.perturbation, origin.level)
        found.append(Judged(row.source_ds, row.label, *place, said))
    return found


def _results(name: str, data: dataset.Dataset, judged: list[Judged], known: list[Entry]) -> Results:
    """The results of the skill, under another name where they are known."""
    judge = JudgeInfo(name=name, uri=f"openai:{name}", kind="prompted")
    if len(known) % (JUDGES // KINDS):
        return known[-1].results.model_copy(update={"judge": judge})
    figures = summary.figures(predictions.table(judged), 0, p_resamples=20)
    told = DataInfo(name="synthetic", ref="bench", sha256=data.sha256, rows=len(judged))
    groups, pairs = ([getattr(row, name) for row in judged] for name in ("group", "pair_id"))
    rows = Labelled(data.examples, tuple(groups), tuple(pairs))
    floors = {name: floor(name, rows, 0, p_resamples=20) for name in FLOORS}
    return Results(judge=judge, data=told, baselines=floors, **dict(figures))


def build(folder: Path, data: dataset.Dataset, entries: list[Entry]) -> Path:
    """The page with every row in it, step by step."""
    with timed("count one result again from its predictions"):
        recount(entries[0].results, entries[0].predictions)
    with timed("rank"):
        site = build_all([entry.results for entry in entries], "Synthetic")
    with timed("join rows and predictions"):
        found = explorers(site, entries, [data], ROWS)
    with timed("write the page"):
        write(site, folder / "site", found)
    sizes = {
        part: sum(f.stat().st_size for f in (folder / "site" / part).rglob("*.*")) / 1e6
        for part in ("assets", "data")
    }
    first = (folder / "site/data/site.js").stat().st_size / 1e6
    print(
        f"assets {sizes['assets']:.2f} MB, site.js {first:.2f} MB, all data {sizes['data']:.1f} MB"
    )
    return folder / "site"


def look(site: Path) -> None:
    """Open, sort and scroll."""
    from playwright.sync_api import sync_playwright

    board = json.loads((site / "leaderboard.json").read_text("utf-8"))["boards"][0]["data"][
        "sha256"
    ][:10]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto((site / "index.html").as_uri())
        page.wait_for_selector(".ranking tbody tr:nth-child(60)")
        ready = page.evaluate("performance.now()")
        print(f"time until the table stands                  {ready:8.0f} ms")
        page.wait_for_selector(".chart svg")
        page.wait_for_timeout(1500)
        _sort(page, "the first 60 judges")
        page.click("button.more >> nth=0")
        page.wait_for_selector(".ranking tbody tr:nth-child(200)")
        _sort(page, "all 200 judges")
        _memory(page, "ranking")
        page.goto(f"{(site / 'index.html').as_uri()}#/board/{board}/rows")
        page.wait_for_selector(".list a")
        print(
            "scroll the list: {median:.0f} ms median, {worst:.0f} ms worst of 60 jumps; {items} items in the document".format(
                **page.evaluate(SCROLL)
            )
        )
        page.evaluate("document.querySelector('.list').scrollTop = 0")
        start = time.perf_counter()
        page.click(".list a >> nth=0")
        page.wait_for_selector(".judged tbody tr:nth-child(200) .verdict")
        print(
            f"open a question with 200 judges' verdicts    {1000 * (time.perf_counter() - start):8.0f} ms"
        )
        _memory(page, "explorer")
        browser.close()


def _sort(page: Page, what: str) -> None:
    took: dict[str, float] = {}
    sort = _busy(page, lambda: took.update(page.evaluate(SORT))) / 12
    move = _busy(page, lambda: page.evaluate(MOVE)) / 12
    print(
        f"sort {what}: {took['median']:.0f} ms median, {took['worst']:.0f} ms worst of 12; of the "
        f"page's own thread {sort:.0f} ms, moving the rows alone {move:.0f} ms"
    )


def _busy(page: Page, act: Callable[[], object]) -> float:
    """Milliseconds for which the page's thread worked: no wall time, which other programs take."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(each["value"] for each in told if each["name"] == "TaskDuration")

    before = busy()
    act()
    return busy() - before


def _memory(page: Page, where: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    nodes = page.evaluate("document.querySelectorAll('*').length")
    print(f"{where}: {used:.0f} MB of JavaScript heap, {nodes:,} elements")


def main() -> None:
    try:
        import playwright  # noqa: F401
    except ImportError:
        print("skipped: Playwright is not installed")
        return
    if not shutil.which("chromium"):
        print("skipped: chromium is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        print(f"{JUDGES} judges on {ROWS:,} rows")
        with timed("make them"):
            data, entries = world(place)
        look(build(place, data, entries))


if __name__ == "__main__":
    main()
