"""The row explorer in a real browser, what axe finds on every view, and hostile values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import board_world
import pytest
from browser_world import EACH, SKILLS, Seen, aside, built, site_of, visit

from halubench import dataset
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.rank import columns
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser
HIT = "window.hit = (window.hit || 0) + 1"
HOSTILE = [
    f"<script>{HIT}</script>",
    f'"><img src=x onerror="{HIT}">',
    f"<svg onload='{HIT}'>",
    f"</textarea></title></style></script><script>{HIT}</script>",
    f"{{{{constructor.constructor('{HIT}')()}}}}",
    "javascript:window.hit=1",
    "\u2028\u2029\ud7ff\U0001f600 \\u003cscript>",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def verdicts(folder: Path) -> dict[str, dict[str, str]]:
    """Judge -> row -> P, F or U, as the predictions say."""
    found = {}
    for path in (folder.parent / "results").rglob("predictions.parquet"):
        told = columns.read(path)
        name = json.loads(path.with_name("results.json").read_text("utf-8"))["judge"]["name"]
        letters = ["PFU"[code] for code in told.verdicts.tolist()]
        found[name] = dict(zip(told.ids.to_pylist(), letters, strict=True))
    return found


def board_of(folder: Path) -> str:
    (board,) = json.loads((folder / "leaderboard.json").read_text("utf-8"))["boards"]
    return board["data"]["sha256"][:10]


@pytest.fixture
def rows(chromium, folder: Path) -> Iterator[Seen]:
    """The list of rows, from disk; nothing may go wrong on it, and nothing come from elsewhere."""
    with visit(chromium, (folder / "index.html").as_uri(), board_of(folder)) as seen:
        seen.open("rows")
        seen.page.wait_for_selector(".list a")
        yield seen
        assert seen.errors == []
        assert seen.strangers(folder) == []


def pairs(folder: Path) -> list[dict[str, str]]:
    """Label -> id, of every question."""
    data = dataset.load(str(folder.parent / "ferry-logs"))
    found: dict[str, dict[str, str]] = {}
    for row in data.examples:
        found.setdefault(row.question, {})[row.label] = row.id
    return list(found.values())


def test_the_questions_a_judge_got_wrong_and_another_right(rows: Seen, folder, verdicts) -> None:
    def wrong(name: str, pair: dict[str, str]) -> bool:
        return any(verdicts[name][id] != label[0] for label, id in pair.items())

    missed = [pair for pair in pairs(folder) if wrong("compass", pair)]
    both = [pair for pair in missed if not wrong("atlas", pair)]
    assert 0 < len(both) < len(missed) < 3 * EACH
    rows.page.select_option("label:has-text('Got wrong by') select", "compass")
    rows.shows("p[role=status]", [f"{len(missed)} questions"])
    rows.page.select_option("label:has-text('Got right by') select", "atlas")
    rows.shows("p[role=status]", [f"{len(both)} questions"])
    rows.page.go_back()
    rows.shows("p[role=status]", [f"{len(missed)} questions"])


@pytest.mark.parametrize(
    ("label", "value", "count"),
    [("Source", "trials", EACH), ("Perturbation", "negation", EACH), ("Domain", "finance", EACH)],
)
def test_questions_are_filtered_by_what_they_are(rows: Seen, label, value, count) -> None:
    rows.page.select_option(f"label:has-text('{label}') select", value)
    rows.shows("p[role=status]", [f"{count} questions"])


def test_the_most_disputed_question_comes_first(rows: Seen, folder, verdicts) -> None:
    def split(id: str) -> float:
        said = [verdicts[name][id] for name in SKILLS]
        passed, failed = said.count("P"), said.count("F")
        return min(passed, failed) / max(1, passed + failed)

    most = max(split(id) for pair in pairs(folder) for id in pair.values())
    rows.page.click(".list a >> nth=0")
    rows.page.wait_for_selector(".twin")
    assert max(split(id) for id in rows.texts(".twin code")) == most


def test_a_question_shows_both_answers_the_edit_and_every_verdict(rows: Seen, verdicts) -> None:
    rows.page.fill("input[type=search]", "ledgers office count before noon, day 7?")
    rows.page.keyboard.press("Enter")
    rows.shows("p[role=status]", ["1 question"])
    rows.page.click(".list a")
    rows.shows(".twin mark", ["27", "241"])
    rows.shows(".passage mark", ["27", "241"])
    passed, failed = rows.texts(".twin code")
    for line in rows.page.locator(".judged tbody tr").all():
        name = line.locator("th summary").inner_text().strip().replace("Compass 8B", "compass")
        words = {"P": "PASS", "F": "FAIL", "U": "unreadable"}
        told = [cell.inner_text().split()[1].rstrip(",") for cell in line.locator("td").all()]
        assert told == [words[verdicts[name][id]] for id in (passed, failed)]
    reasoning = rows.page.locator(".reasoning").first
    assert not reasoning.is_visible()
    rows.page.click(".judged summary >> nth=0")
    assert reasoning.is_visible()
    assert "this." in reasoning.inner_text()


def test_a_question_has_an_address_neighbours_and_a_way_back(rows: Seen) -> None:
    rows.page.click(".list a >> nth=1")
    rows.page.wait_for_selector(".twin")
    address, question = rows.page.url, rows.page.inner_text("article h2")
    rows.page.click("a[rel=next]")
    rows.page.wait_for_function(
        "was => document.querySelector('article h2').textContent !== was", arg=question
    )
    rows.page.go_back()
    rows.shows("article h2", [question])
    rows.page.goto("about:blank")
    rows.page.goto(address)
    rows.shows("article h2", [question])
    assert rows.page.locator(".list a[aria-current=true]").count() == 1


def test_only_the_questions_in_sight_are_in_the_document(rows: Seen) -> None:
    assert rows.page.locator(".list li").count() < 25
    last = rows.page.get_attribute(".list li >> nth=0", "aria-setsize")
    assert last == str(3 * EACH)
    rows.page.eval_on_selector(".list", "list => { list.scrollTop = list.scrollHeight }")
    rows.page.wait_for_selector(f".list li[aria-posinset='{last}']")


def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    return (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_on_any_view(chromium, folder, theme: str, width: int) -> None:
    script, base = axe(), (folder / "index.html").as_uri()
    size = {"width": width, "height": 900}
    judge = f"judge/drift-{digest('drift', '')[:6]}"
    with visit(chromium, base, board_of(folder), color_scheme=theme, viewport=size) as seen:
        for view in ["", "rows", judge, "#/reported", "#/about", "case"]:
            if view == "case":
                seen.open("rows")
                seen.page.click(".list a >> nth=0")
                seen.page.wait_for_selector(".twin")
                seen.page.click(".judged summary >> nth=0")
            else:
                seen.open(view)
            seen.page.wait_for_timeout(150)
            seen.page.evaluate(script)
            found = seen.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            told = [
                (each["id"], each["impact"], each["nodes"][0]["html"][:200])
                for each in found["violations"]
            ]
            assert told == [], f"{view} at {width} px, {theme}"


def poisoned(folder: Path) -> Path:
    """A board on which every text that others can write is hostile."""
    bad = " ".join(HOSTILE)
    lines = [
        {"id": f"{bad}{i}", "passage": f"{bad} The ferry carries {i} cars.", "source_ds": HOSTILE[i % 2],
         "question": f"{bad} {i // 2}", "answer": f"{bad} {i}", "label": ("PASS", "FAIL")[i % 2]}
        for i in range(8)
    ]  # fmt: skip
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    loaded = dataset.load(str(data))
    for number, skill in enumerate((0.9, 0.4)):
        table = board_world.judge(list(loaded.examples), folder / f"j{number}.jsonl", skill, bad)
        evaluate(f"recorded:{table}", loaded, EvaluateOptions(folder / "results"))
    for number, found in enumerate((folder / "results").rglob("results.json")):
        told = json.loads(found.read_text("utf-8"))
        poison = {"name": f"{bad}{number}", "note": bad, "identity": {bad: bad}, "uri": bad}
        told["judge"] |= poison
        told |= {"warnings": [bad], "versions": {bad: bad}}
        told["data"] |= {"name": bad, "ref": bad}
        found.write_text(json.dumps(told), encoding="utf-8")
        board_world.describe(
            found, title=HOSTILE[number], by=HOSTILE[0], note=HOSTILE[1], license=HOSTILE[2][:80]
        )
    return site_of(data, folder / "results", folder / "site")


def test_what_others_write_is_text_and_nothing_else(chromium, tmp_path: Path) -> None:
    folder = aside(poisoned, tmp_path)
    with visit(chromium, (folder / "index.html").as_uri(), board_of(folder)) as seen:
        seen.open()
        assert HOSTILE[0] in seen.page.inner_text("h1")
        seen.page.click(".ranking th.judge a >> nth=0")
        seen.page.wait_for_selector(".confusion")
        assert HOSTILE[0] in seen.page.inner_text("section[aria-labelledby=how] .told")
        seen.open("rows")
        seen.page.click(".list a >> nth=0")
        seen.page.wait_for_selector(".twin")
        seen.page.click(".judged summary >> nth=0")
        for place in (".passage", ".answer", ".reasoning", "article h2"):
            assert HOSTILE[1] in seen.page.inner_text(f"{place} >> nth=0"), place
        assert hits(seen) == [0, 0, 0]
        assert seen.errors == []
        assert seen.strangers(folder) == []


def hits(seen: Seen) -> Any:
    """Payloads that ran, and elements that only a payload would have made."""
    return seen.page.evaluate(
        "[window.hit || 0, document.querySelectorAll('main img, main script').length,"
        " document.querySelectorAll('main [onload], main [onerror], main [href^=javascript]').length]"
    )
