"""A recipe reads a Hub dataset at one commit, however often it is run, and tells which."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from generate_world import row
from hub_server import File, Repo

if TYPE_CHECKING:
    from pathlib import Path

    from publish_world import Desk, Done


def commit(desk: Desk, *numbers: int) -> str:
    """A commit whose one file holds those gold rows; its id."""
    rows = "".join(json.dumps(row(number)) + "\n" for number in numbers)
    repo = desk.hub.repos.setdefault(("datasets", desk.name), Repo(private=False))
    name = hashlib.sha1(rows.encode(), usedforsecurity=False).hexdigest()
    repo.commits.append((name, {"train.jsonl": File(rows.encode())}, "rows"))
    return name


@pytest.fixture
def mine(tmp_path: Path, desk: Desk) -> Any:
    """Runs a recipe of one part from the Hub on loopback, into a folder of that name."""

    def run(out: str, *words: str, **part: Any) -> Done:
        told = {"name": "gold", "source_ds": "Ferries", "how": "generate", "pass": 4, "fail": 4,
                "hub": desk.name, "license": "MIT", **part}  # fmt: skip
        recipe = {"name": "mine", "title": "Mine", "about": "One part.", "control": "restate",
                  "splits": {"test": 1.0}, "parts": [told]}  # fmt: skip
        folder = tmp_path / "content" / "perturbations" / "recipes"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mine.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        asked = ("--recipe", "mine", "--content", tmp_path / "content", "--model", "rules", *words)
        return desk.run("generate", *asked, "--out", tmp_path / out)

    return run


def origin(folder: Path) -> str:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["sources"][0]["ref"] == manifest["recipe"]["parts"][0]["origin"]
    return manifest["recipe"]["parts"][0]["origin"]


def test_a_run_reads_the_commit_at_which_it_began(tmp_path: Path, desk: Desk, mine: Any) -> None:
    first = commit(desk, *range(8))
    done = mine("out")
    assert done.code == 0, done.err
    assert f"{desk.name} {first}" in " ".join(done.err.split())
    assert origin(tmp_path / "out") == f"hf:{desk.name}@{first}"
    assert first in (tmp_path / "out" / "README.md").read_text("utf-8")
    data = (tmp_path / "out" / "data" / "test.parquet").read_bytes()

    second = commit(desk, *range(8, 16))
    assert mine("out").code == 0
    assert (tmp_path / "out" / "data" / "test.parquet").read_bytes() == data
    assert origin(tmp_path / "out") == f"hf:{desk.name}@{first}"

    assert mine("later").code == 0
    assert origin(tmp_path / "later") == f"hf:{desk.name}@{second}"
    assert mine("pinned", revision=first).code == 0
    assert origin(tmp_path / "pinned") == f"hf:{desk.name}@{first}"
    assert (tmp_path / "pinned" / "data" / "test.parquet").read_bytes() == data


def test_what_a_recipe_pins_is_not_asked_for_nor_told(
    tmp_path: Path, desk: Desk, mine: Any
) -> None:
    commit_id = commit(desk, *range(8))
    done = mine("out", revision=commit_id)
    assert done.code == 0, done.err
    assert "Not pinned" not in done.err
    assert not (tmp_path / "out" / "revisions.json").exists()


def test_a_dataset_that_is_not_there_is_told_before_anything_is_made(
    tmp_path: Path, desk: Desk, mine: Any
) -> None:
    done = mine("out")
    assert done.code == 2
    assert "no such dataset can be read on the Hub" in " ".join(done.err.split())
    assert "--source-file gold=FILE" in " ".join(done.err.split())
    assert not (tmp_path / "out").exists()


def test_a_file_that_stands_in_is_told_by_its_hash(tmp_path: Path, desk: Desk, mine: Any) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in range(8)))
    done = mine("out", "--source-file", f"gold={path}")
    assert done.code == 0, done.err
    known = hashlib.sha256(path.read_bytes()).hexdigest()
    assert origin(tmp_path / "out") == f"rows.jsonl, sha256 {known[:16]}"
    assert not desk.hub.log


def test_a_commit_is_kept_under_its_dataset_s_name(tmp_path: Path, desk: Desk, mine: Any) -> None:
    first = commit(desk, *range(8))
    assert mine("out").code == 0
    kept = json.loads((tmp_path / "out" / "revisions.json").read_text("utf-8"))
    assert kept == {f"{desk.name}@main": first}
