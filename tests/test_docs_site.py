"""The site names every page, and every page that it names is there."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))


def pages(part: object) -> list[str]:
    """The paths of a part of the navigation."""
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part
    return [path for each in inner for path in pages(each)]  # type: ignore[union-attr]


def test_every_page_of_the_site_is_there_once() -> None:
    named = pages(SITE["nav"])
    assert len(set(named)) == len(named)
    for path in named:
        assert (ROOT / path).is_file(), path


def test_every_document_is_on_the_site() -> None:
    documents = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert documents <= set(pages(SITE["nav"]))
