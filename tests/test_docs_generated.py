"""What is made from the code is up to date with it."""

import json
import re
import runpy
from pathlib import Path

import pytest
import typer

import halubench.cli
from halubench.rank import judge_card

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "generated_files.py"
REMEDY = "run: python scripts/generated_files.py"


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> str:
    fresh = typer.Typer(help=halubench.cli.app.info.help, add_completion=False)
    monkeypatch.setattr(halubench.cli, "app", fresh)
    halubench.cli._register()
    text: str = runpy.run_path(str(SCRIPT))["cli"](fresh)
    return text


def options(text: str) -> dict[str, dict[str, str]]:
    """Command -> option or argument -> its help; not how the version of typer lays them out."""
    found = {}
    for section in re.split(r"\n##+ ", text)[1:]:
        lines = re.findall(r"^\* `(\S+?)(?: [^`]*)?`: (.*?)(?:  \[.*\])?$", section, re.MULTILINE)
        found[section.split("`")[1]] = dict(lines)
    return found


def test_the_command_reference_is_up_to_date(reference: str) -> None:
    written = options((ROOT / "docs/cli.md").read_text("utf-8"))
    assert written == options(reference), REMEDY
    assert all("--help" in each for each in written.values())


def test_the_schema_of_perturbations_is_up_to_date() -> None:
    made = runpy.run_path(str(SCRIPT))["schema"]()
    written = (ROOT / "perturbations/schema.json").read_text("utf-8")
    assert json.loads(written) == json.loads(made), REMEDY


def test_the_schema_of_a_judges_card_is_up_to_date() -> None:
    written = (ROOT / "leaderboard/judge.schema.json").read_text("utf-8")
    assert json.loads(written) == json.loads(judge_card.schema()), REMEDY
