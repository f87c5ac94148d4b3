"""What goes in (results, reported tables) and what comes out (page, Markdown, CSV, JSON)."""

import csv
import hashlib
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from leaderboard_world import judged

from halubench import content
from halubench.errors import InputError, OutputError
from halubench.rank import Site, build_all, load_reported, read_results, write
from halubench.rank.schema import schema
from halubench.rank.site import render_html, vendored
from halubench.rank.tables import render_csv, render_markdown
from halubench.rank.view import site_view

ROOT = Path(__file__).parents[1]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "javascript:alert(1)",
]


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def put(folder: Path, results: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = results if isinstance(results, str) else results.model_dump_json()
    (folder / "results.json").write_text(text)
    return folder


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_names_and_notes_are_inert_before_any_script_runs(payload):
    plain = Tags(render_html(build_all([judged("a", note="n")], "t", load_reported()))).seen
    told = judged(payload, note=payload, identity={payload: payload})
    seen = Tags(render_html(build_all([told], payload, load_reported()))).seen
    assert [tag for tag, _ in seen] == [tag for tag, _ in plain]
    assert not [tag for tag, attrs in seen if any(name.startswith("on") for name in attrs)]


@pytest.mark.parametrize("payload", HOSTILE)
def test_no_value_can_end_a_script_of_data(tmp_path, payload):
    write(build_all([judged(payload, note=payload)], payload), tmp_path)
    scripts = [path.read_text("utf-8") for path in (tmp_path / "data").rglob("*.js")]
    assert len(scripts) == 2
    for text in scripts:
        assert "<" not in text
        name, _, value = text.removeprefix("HB.take(").removesuffix(")\n").partition(",")
        assert json.loads(name)
        assert payload in json.dumps(json.loads(value), ensure_ascii=False).replace('\\"', '"')


def test_what_is_to_be_said_of_a_judge_stands_in_the_ranking_itself():
    page = render_html(build_all([judged("a"), judged("b", note="judges at chance")], "t"))
    ranking = page[page.index('<tbody class="measured">') : page.index('<tbody class="floors">')]
    assert ranking.count("judges at chance") == 1
    assert "Note on b: judges at chance" in render_markdown(
        build_all([judged("b", note="judges at chance")], "t")
    )


def test_the_page_asks_for_nothing_from_outside(tmp_path):
    page, *_ = write(build_all([judged()], "t", load_reported()), tmp_path)
    asked = [
        attrs.get("src") or attrs.get("href") or ""
        for tag, attrs in Tags(page.read_text("utf-8")).seen
        if tag in {"script", "img", "iframe", "link"}
    ]
    assert "assets/app/main.js" in asked
    assert all((tmp_path / path).is_file() for path in asked if path != "data:,")
    style = (tmp_path / "assets/style.css").read_text("utf-8")
    assert "@import" not in style
    linked = re.findall(r"url\(([^)]+)\)", style)
    assert len(linked) == 2
    assert all((tmp_path / "assets" / path).is_file() for path in linked)


def test_others_files_are_those_of_their_packages_and_come_with_their_licence(tmp_path):
    write(build_all([judged()], "t"), tmp_path)
    packages = {entry["package"] for entry in vendored()}
    licensed = {entry["package"] for entry in vendored() if entry["path"] == "LICENSE"}
    assert packages == licensed
    for entry in vendored():
        data = (tmp_path / "assets/vendor" / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_a_changed_file_of_others_is_not_shipped(tmp_path):
    (tmp_path / "content/leaderboard/site/vendor").mkdir(parents=True)
    (tmp_path / "content/leaderboard/site/vendor/d3.min.js").write_text("alert(1)")
    content.add_folder(tmp_path / "content")
    with pytest.raises(InputError, match=r"d3\.min\.js is not the file of d3 7"):
        write(build_all([judged()], "t"), tmp_path / "out")


def test_the_page_is_at_most_one_and_a_half_megabytes_before_its_rows(tmp_path):
    page, *_ = write(build_all([judged()], "t", load_reported()), tmp_path)
    parts = [page, *(tmp_path / "assets").rglob("*.*")]
    assert sum(path.stat().st_size for path in parts) < 1_500_000


def test_a_page_written_again_keeps_no_file_of_the_former_one(tmp_path):
    write(build_all([judged("former")], "t"), tmp_path)
    write(build_all([judged("latter")], "t"), tmp_path)
    (judge,) = (tmp_path / "data").rglob("judges/*.js")
    assert judge.name.startswith("latter-")


def test_markdown_csv_and_json_agree(tmp_path):
    site = build_all([judged("a|b", 0.8), judged("=c", 0.6), judged("d", 0.79)], "t")
    _, markdown, table, data = write(site, tmp_path / "out")
    assert Site.model_validate_json(data.read_text()) == site
    lines = list(csv.DictReader(io.StringIO(table.read_text())))
    cells = [
        line.replace("\\|", "/").split(" | ")
        for line in markdown.read_text().splitlines()
        if line.startswith("| ") and " | prompted | " in line
    ]
    for row, line, cell in zip(site.boards[0].rows, lines, cells, strict=True):
        assert line["judge"].lstrip("'") == row.judge
        assert cell[0] == f"| {row.rank}"
        assert float(line["macro_accuracy"]) == row.results.macro_accuracy.value
        assert cell[3].startswith(f"{100 * float(line['macro_accuracy']):.1f} ")
        assert cell[9] == f"{line['unscored']} of {line['n']}"
    assert not any(line["judge"].startswith("=") for line in lines)


def test_floors_are_shown_as_such_and_not_ranked():
    site = build_all([judged()], "t")
    assert "floor, not a competitor" in render_html(site)
    assert "baseline:length" in render_markdown(site)
    assert "baseline" not in render_csv(site.boards)


def test_reported_figures_are_apart_and_cited(tmp_path):
    site = build_all([judged()], "t", load_reported("lynx-paper-table3"))
    told = site_view(site, {}, "test")
    assert "Lynx" not in json.dumps(told["boards"])
    (table,) = told["reported"]
    assert table["url"] == "https://arxiv.org/abs/2407.08488"
    assert "Lynx (70B)" in {row["judge"] for row in table["rows"]}
    assert "Lynx" not in render_csv(site.boards)


def test_reported_overall_is_the_mean_of_its_sources_or_the_row_says_what_it_is():
    (table,) = load_reported("lynx-paper-table3")
    means = {row.judge: sum(row.scores.values()) / 6 for row in table.rows}
    off = {row.judge: row for row in table.rows if abs(means[row.judge] - row.overall) > 0.0501}
    assert len(table.rows) == 11
    assert {row.judge for row in table.rows if row.caveat} == set(off)
    assert "Suspect" in off["Claude-3-Sonnet"].caveat
    for judge, row in off.items():
        assert f"average {means[judge]:.1f}" in row.caveat or f"{means[judge]:.2f}" in row.caveat


@pytest.mark.parametrize(
    ("line", "key"),
    [("rank: 1", "rank"), ("url: http://x", "url"), ("rows: []", "rows"), ("title: [", "YAML")],
)
def test_a_bad_reported_table_is_named_with_its_key(tmp_path, line, key):
    text = (ROOT / "leaderboard/reported/root-judge-card.yaml").read_text()
    kept = text if key == "rank" else text.partition(f"{line.partition(':')[0]}:")[0]
    folder = tmp_path / "leaderboard/reported"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"{kept}\n{line}\n")
    content.add_folder(tmp_path)
    with pytest.raises(InputError, match=rf"mine\.yaml.*{key}"):
        load_reported("mine")
    assert load_reported("none") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "field format"),
        ('{"format": "halubench/results/9"}', "field format is 'halubench/results/9'"),
        ('{"format": "halubench/results/2"}', "field overall"),
    ],
)
def test_a_file_that_is_no_result_is_named_with_its_field(tmp_path, text, said):
    with pytest.raises(InputError, match=rf"results\.json.*{said}"):
        read_results([put(tmp_path / "a", text)])


def test_two_results_of_one_judge_are_refused_and_a_copy_counts_once(tmp_path):
    put(tmp_path / "a", judged("x", 0.8))
    put(tmp_path / "b", judged("x", 0.8))
    assert len(read_results([tmp_path, tmp_path / "a"])) == 1
    put(tmp_path / "b", judged("x", 0.7))
    with pytest.raises(InputError, match=r"a/results\.json and .*b/results\.json"):
        read_results([tmp_path])


def test_an_empty_or_absent_folder_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no results\.json"):
        read_results([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        read_results([tmp_path / "absent"])


def test_secrets_never_reach_a_file(tmp_path):
    secret = "sk-" + "a1" * 12
    told = judged(
        "x",
        uri="openai:m@https://me:hunter22@host/v1",
        note=f"Bearer {secret}",
        identity={"api_key": "plain", "args": [f"token={secret}"], "prompt_tokens": "12"},
    )
    site = build_all(read_results([put(tmp_path / "r", told)]), "t")
    write(site, tmp_path / "out")
    kept = [path for path in (tmp_path / "out").rglob("*.*") if "vendor" not in path.parts]
    text = "".join(path.read_text("utf-8") for path in kept)
    assert secret not in text
    assert "hunter22" not in text
    assert site.boards[0].rows[0].results.judge.identity["api_key"] == "[hidden]"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write(build_all([judged()], "t"), tmp_path / "file")


def test_the_schema_is_up_to_date():
    assert json.loads((ROOT / "leaderboard/schema.json").read_text()) == json.loads(schema())


def test_the_command_writes_the_page_and_says_where(tmp_path, monkeypatch, capsys):
    from halubench.cli import main

    put(tmp_path / "r", judged("x[b]", 0.8))
    out = tmp_path / "out"
    monkeypatch.setattr(
        sys, "argv", ["halubench", "leaderboard", "build", str(tmp_path / "r"), "--out", str(out)]
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in {0, None}
    said = capsys.readouterr()
    assert "x[b]" in said.out
    assert "index.html" in said.err
    assert "x[b]" in (out / "index.html").read_text()
