"""Each "one thing with one file" of CONTRIBUTING.md works as it stands there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docs_blocks import ROOT, do, sections, steps, workplace

from halubench.train.recipe import load_all

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PARTS = sections(PAGE.split("## Add one thing with one file")[1], "###")


def results(judge: str) -> dict:
    return json.loads(Path("results", judge, "results.json").read_text())


def perturbation() -> bool:
    return (
        "distance-swap" in json.loads(Path("benchmark/manifest.json").read_text())["perturbations"]
    )


def judge() -> bool:
    return results("seen-1")["judge"]["uri"] == "seen:1"


def engine() -> bool:
    return results("always-FAIL")["overall"]["fail_recall"]["value"] == 1.0


def prompt() -> bool:
    found = [json.loads(path.read_text()) for path in Path("results").glob("*/results.json")]
    return any(one["judge"]["name"] == "always:PASS (brief)" for one in found)


def source() -> bool:
    (read,) = json.loads(Path("sheets/manifest.json").read_text())["sources"]
    return (read["name"], read["license"], read["items"]) == ("sheet", "CC0-1.0", 2)


def recipe() -> bool:
    return "our-adapters" in load_all()


def reported() -> bool:
    return "Our paper, Table 1" in Path("leaderboard-site/leaderboard.md").read_text()


EFFECTS: dict[str, Callable[[], bool]] = {
    "A perturbation": perturbation,
    "A judge": judge,
    "An engine": engine,
    "A prompt": prompt,
    "A source": source,
    "A recipe": recipe,
    "A reported table": reported,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with workplace(tmp_path_factory.mktemp("contributing")) as patch:
        yield patch


def test_every_section_is_tried() -> None:
    assert set(PARTS) == set(EFFECTS)


def test_the_examples_work_as_they_stand(place: pytest.MonkeyPatch) -> None:
    for title, part in PARTS.items():
        for step in steps(part):
            do(step, place)
        assert EFFECTS[title](), title
