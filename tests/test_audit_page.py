"""The page and the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from audit_twins import planted, twins
from typer.testing import CliRunner

from halubench.audit import audit_examples
from halubench.audit.page import render, write
from halubench.audit.report import AuditReport
from halubench.errors import OutputError

if TYPE_CHECKING:
    from halubench.records import Example

HOSTILE = """"><script>alert('x')</script><img src=x onerror="f()">{{ 7 * 7 }}"""


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "rect", "line", "circle", "path"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "rect", "line", "circle", "path"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def hostile() -> tuple[AuditReport, list[Example]]:
    rows = planted({"answer": "{e.answer} 56, 56"}, twins(30))
    rows = [
        replace(e, answer=e.answer + HOSTILE, source_ds=HOSTILE, id=e.id + HOSTILE) for e in rows
    ]
    rows += [replace(rows[0], label="FAIL"), replace(rows[0], label="PASS")]
    report = audit_examples(rows, against={HOSTILE: rows[:2]}).model_copy(update={"name": HOSTILE})
    return report, rows


def test_everything_on_the_page_is_escaped(hostile: tuple[AuditReport, list[Example]]) -> None:
    page = read(render(*hostile))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert HOSTILE in page.text
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|49", page.text.split(HOSTILE[:20])[1])


def test_the_page_asks_nothing_from_outside(hostile: tuple[AuditReport, list[Example]]) -> None:
    page = render(*hostile)
    tags = read(page).tags
    assert not [attrs for _, attrs in tags if attrs.keys() & {"src", "srcset"}]
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in tags)
    assert "url(" not in page
    assert "@import" not in page


def test_every_table_and_plot_can_be_read_aloud(hostile: tuple[AuditReport, list[Example]]) -> None:
    report, rows = hostile
    page = read(render(report, rows))
    names = [tag for tag, _ in page.tags]
    plots = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert names.count("caption") == names.count("table") > 0
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in plots)
    assert len(plots) == len(report.scopes) * (len(report.overall.probes) + 1)
    assert any("AUROC" in (attrs["aria-label"] or "") for attrs in plots)


def test_verdict_findings_gates_and_methods_are_on_the_page() -> None:
    rows = planted({"answer": "{e.answer} 56, 56"}, twins(40))
    report = audit_examples(rows)
    text = read(render(report, rows)).text
    assert report.verdict in text
    assert all(finding.text in text for finding in report.findings)
    assert all(gate.name in text for gate in report.gates)
    assert all(definition in text for definition in report.methods.values())


def test_several_sources_are_set_side_by_side() -> None:
    rows = [*twins(25), *(replace(e, source_ds="other & more") for e in twins(25, 1))]
    report = audit_examples(rows)
    page = read(render(report, rows))
    targets = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert len(links) == len(report.scopes) == 3
    assert {f"#{target}" for target in targets} >= set(links)
    assert "other & more" in page.text


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    rows = twins(3)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write(audit_examples(rows), rows, tmp_path / "file")


def test_lone_surrogates_do_not_stop_the_page(tmp_path: Path) -> None:
    rows = [replace(e, answer=e.answer + "\ud800 56, 56") for e in twins(3)] * 2
    _, page = write(audit_examples(rows), rows, tmp_path)
    assert "\\ud800" in page.read_text(encoding="utf-8")


def save(rows: list[Example], path: Path) -> str:
    path.write_text("".join(json.dumps(asdict(e)) + "\n" for e in rows), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from halubench.cli import main; main()", "audit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_writes_both_files_and_says_what_is_next(tmp_path: Path) -> None:
    data = save(planted({"answer": "{e.answer} 56, 56"}, twins(40)), tmp_path / "leaky.jsonl")
    done = run(data, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    report = AuditReport.model_validate_json((tmp_path / "out" / "audit.json").read_text())
    assert report.name == "leaky"
    assert report.sha256
    assert (tmp_path / "out" / "audit.html").exists()
    assert report.verdict in done.stdout
    assert "audit.html" in done.stderr
    assert "Next:" in done.stderr


def test_strict_exits_1_on_a_failed_gate_only(tmp_path: Path) -> None:
    leaky = save(planted({"answer": "{e.answer} 56, 56"}, twins(40)), tmp_path / "leaky.jsonl")
    clean = save(twins(120), tmp_path / "clean.jsonl")
    assert run(leaky, "--strict", "--out", str(tmp_path / "a")).returncode == 1
    assert run(clean, "--strict", "--out", str(tmp_path / "b")).returncode == 0


def test_two_datasets_and_another_to_hold_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer import Typer

    from halubench.cli.audit import command

    monkeypatch.chdir(tmp_path)
    one, two = save(twins(6), tmp_path / "one.jsonl"), save(twins(6, 1), tmp_path / "two.jsonl")
    app = Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [one, two, "--against", one])
    assert result.exit_code == 0, result.output
    first = AuditReport.model_validate_json(Path("audit-one/audit.json").read_text())
    second = AuditReport.model_validate_json(Path("audit-two/audit.json").read_text())
    assert [g.value for g in first.gates if g.name == "Rows also in one"] == [12.0]
    assert [g.value for g in second.gates if g.name == "Rows also in one"] == [0.0]
