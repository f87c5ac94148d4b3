"""The commands of the documents work, in the order of the pages, as they stand there."""

import re
from collections.abc import Iterator

import pytest
from docs_blocks import ROOT, do, steps, workplace

# The tutorial writes the csv that the README takes as given; the others share one benchmark.
ORDER = [
    "tutorial",
    "tutorial-publish",
    "tutorial-model",
    "generate",
    "audit",
    "evaluate",
    "leaderboard",
    "train",
    "README",
]
PAGES = {path.stem: path for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)?(?:#([\w-]+))?\)")
MARKDOWN = [
    path
    for path in ROOT.rglob("*.md")
    if not {part for part in path.relative_to(ROOT).parts if part[0] == "."}
    and path.relative_to(ROOT).parts[0] in {path.name, "docs", "perturbations", "prompts"}
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with workplace(tmp_path_factory.mktemp("docs")) as patch:
        yield patch


def test_every_page_with_commands_is_tried() -> None:
    with_commands = {name for name, page in PAGES.items() if steps(page.read_text("utf-8"))}
    assert with_commands == set(ORDER)


def test_the_commands_work_as_they_stand(place: pytest.MonkeyPatch) -> None:
    done = set()
    for name in ORDER:
        for step in steps(PAGES[name].read_text("utf-8")):
            if step not in done:
                do(step, place)
                done.add(step)


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page) -> None:
    for file, anchor in LINK.findall(page.read_text("utf-8")):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def anchors(page) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).strip().replace(" ", "-") for text in headings}
