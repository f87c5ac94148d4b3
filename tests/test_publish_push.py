"""push: one commit with everything or none, read back, and nothing twice. Unmodified clients."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hub_server import TOKEN, HubServer
from publish_world import Desk


def test_a_run_goes_up_in_one_commit_and_comes_back_the_same(run_folder: Path, desk: Desk) -> None:
    done = desk.push(run_folder)
    assert done.code == 0, done.err
    assert desk.repo.private
    assert len(desk.repo.published) == 1
    assert "hash for hash" in done.out
    files = desk.repo.commits[-1][1]
    for path in ("data/test.parquet", "provenance/test.parquet", "audit/audit.json"):
        assert files[path].data == (run_folder / path).read_bytes()
    assert not [path for path in files if path.startswith(("stages", "journal", "ask", ".lock"))]
    card = files["README.md"].data.decode()
    assert f'load_dataset("{desk.name}", "rows"' in card
    assert "PATH_OR_REPOSITORY" not in card
    assert list(desk.repo.tags.values()) == [desk.repo.head]
    assert TOKEN not in done.out + done.err


def test_what_has_not_changed_is_not_committed_again(run_folder: Path, desk: Desk) -> None:
    desk.push(run_folder)
    before = desk.repo.head
    desk.hub.log.clear()
    again = desk.push(run_folder)
    assert again.code == 0, again.err
    assert "no commit was made" in again.out
    assert desk.repo.head == before
    assert not [line for line in desk.hub.log if "/commit/" in line or "lfs" in line]


def test_a_file_that_is_gone_is_removed_by_the_same_commit(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    longer = shutil.copytree(run_folder, tmp_path / "longer")
    (longer / "audit" / "old.html").write_text("old")
    desk.push(longer)
    (longer / "audit" / "old.html").unlink()
    done = desk.push(longer)
    assert "0 files written, 1 removed in one commit" in done.out, done.err
    assert len(desk.repo.published) == 2
    assert len(set(desk.repo.tags.values())) == 2
    assert "audit/old.html" not in desk.repo.commits[-1][1]


def test_results_of_two_people_stand_side_by_side(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    for who, judge in (("ana", "baseline:length"), ("bo", "baseline:overlap")):
        out = tmp_path / who
        judged = desk.run("evaluate", "--model", judge, "--data", run_folder, "--out", out)
        assert judged.code == 0, judged.err
        pushed = desk.push(out)
        assert pushed.code == 0, pushed.err
    assert len(desk.repo.published) == 2
    pulled = tmp_path / "pulled"
    assert desk.run("pull", desk.name, "--out", pulled).code == 0
    found = sorted(pulled.glob("results/*/results.json"))
    assert len(found) == 2
    for path in found:
        told = json.loads(path.read_text())
        assert pq.read_table(path.with_name("predictions.parquet")).num_rows == told["data"]["rows"]


def test_a_revision_is_pulled_by_its_tag_and_compared(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    desk.push(run_folder, "--tag", "v1")
    out = tmp_path / "pulled"
    pulled = desk.run("pull", f"{desk.name}@v1", "--out", out)
    assert pulled.code == 0, pulled.err
    for path in run_folder.glob("data/*.parquet"):
        assert (out / "data" / path.name).read_bytes() == path.read_bytes()
    compared = desk.run("diff", f"{desk.name}@v1", run_folder)
    assert "24 the same, 0 changed, 0 in another split" in compared.out
    twice = desk.run("pull", f"{desk.name}@v1", "--out", out)
    assert twice.code == 3
    assert "is not empty" in twice.err
    none = desk.run("pull", f"{desk.name}@v9", "--out", tmp_path / "x")
    assert none.code == 2
    assert "(404)" in none.err
    assert not (tmp_path / "x").exists()


def test_a_pulled_benchmark_pushed_elsewhere_has_the_same_rows(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    desk.push(run_folder)
    desk.run("pull", desk.name, "--out", tmp_path / "pulled")
    done = desk.run("push", tmp_path / "pulled", f"{desk.name}-copy")
    assert done.code == 0, done.err
    copy = desk.hub.repo(f"{desk.name}-copy").commits[-1][1]
    assert copy["data/test.parquet"].data == (run_folder / "data" / "test.parquet").read_bytes()


def test_xet_carries_the_large_files_where_the_hub_has_it(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    pytest.importorskip("hf_xet", reason="the client has no Xet")
    with HubServer(xet=True) as hub:
        other = Desk(hub, tmp_path)
        done = other.push(run_folder)
        other.close()
        assert done.code == 0, done.err
        assert hub.cas.xorbs
        assert not hub.large
        files = other.repo.commits[-1][1]
        for path in run_folder.glob("data/*.parquet"):
            assert files[f"data/{path.name}"].data == path.read_bytes()
        assert "hash for hash" in done.out
