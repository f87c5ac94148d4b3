"""Perturbation files: what is wrong with one is said with its name and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from halubench import content
from halubench.errors import InputError
from halubench.perturb import definitions
from halubench.perturb.operators import OPERATORS

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "name": "mine",
    "title": "Mine",
    "definition": "Something is wrong.",
    "relation": "contradiction",
    "domains": ["general"],
    "guidance": "Make it wrong.",
    "rule": {"operator": "swap", "sites": ["number"]},
    "examples": [
        {"passage": "p", "question": "q?", "answer": "1", "fail": "2", "change": "1 -> 2"}
    ],
}


def written(folder: Path, **change: object) -> Path:
    path = folder / "mine.yaml"
    kept = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    path.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path


def test_a_good_file(tmp_path: Path) -> None:
    found = definitions.load(written(tmp_path))
    assert (found.name, found.quota, found.domains) == ("mine", 1.0, ("general",))
    assert found.rule is not None
    assert found.rule.sites == ("number",)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"colour": "red"}, "colour"),
        ({"title": None}, "title"),
        ({"domains": ["law"]}, "domains.0"),
        ({"relation": "lie"}, "relation"),
        ({"rule": {"operator": "guess"}}, "rule.operator"),
        ({"rule": {"operator": "flip", "words": [["one"]]}}, "rule.words.0.1"),
        ({"rule": {"operator": "flip", "wordz": []}}, "rule.wordz"),
        ({"examples": [{"passage": "p"}]}, "examples.0.question"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(
    tmp_path: Path, change: dict[str, object], key: str
) -> None:
    path = written(tmp_path, **change)
    with pytest.raises(InputError) as caught:
        definitions.load(path)
    assert f"{path}: {key}:" in str(caught.value)


def test_broken_yaml_and_empty_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: [mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml is not valid YAML"):
        definitions.load(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml: the file"):
        definitions.load(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match=r"mine\.yaml"):
        definitions.load(path)


def test_a_file_is_named_after_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path, name="yours")
    with pytest.raises(InputError, match="'yours'") as caught:
        definitions.load(path)
    assert str(path) in str(caught.value)


def test_a_users_file_hides_a_shipped_namesake(tmp_path: Path) -> None:
    shipped = definitions.load_all()
    folder = tmp_path / "perturbations"
    folder.mkdir()
    written(folder)
    own = {**GOOD, "name": "negation", "title": "My negation"}
    (folder / "negation.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    content.add_folder(tmp_path)
    found = definitions.load_all()
    assert set(found) == {*shipped, "mine"}
    assert found["negation"].title == "My negation"


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    one = definitions.load(written(tmp_path)).hash
    assert one == definitions.load(written(tmp_path)).hash
    assert one != definitions.load(written(tmp_path, guidance="Otherwise.")).hash


def test_every_operator_a_file_may_name_exists() -> None:
    assert set(OPERATORS) == set(definitions.Operator.__args__)  # type: ignore[attr-defined]
