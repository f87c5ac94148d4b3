"""``halubench leaderboard``: what check refuses, what serve gives, what export writes."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import board_world
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from halubench.cli import main
from halubench.errors import InputError, MissingExtraError, OutputError
from halubench.rank import read_entries, validate
from halubench.rank.export import export
from halubench.rank.judge_card import load_card
from halubench.rank.serve import server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two judges on 24 rows: ``ferry-logs`` and ``results``."""
    folder = tmp_path_factory.mktemp("measured")
    board_world.results(folder, {"one": 0.9, "two": 0.6}, 4)
    return folder


@pytest.fixture
def place(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to alter, as the working directory."""
    shutil.copytree(measured, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["halubench", "leaderboard", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


def one(place: Path, name: str = "results.json") -> Path:
    (found,) = (place / "results").glob(f"*one*/{name}")
    return found


def alter(place: Path, change: Callable[[dict], object]) -> None:
    told = json.loads(one(place).read_text("utf-8"))
    change(told)
    one(place).write_text(json.dumps(told), encoding="utf-8")


def lose_a_row(place: Path) -> None:
    path = one(place, "predictions.parquet")
    pq.write_table(pq.read_table(path).slice(1), path)


def swap_two_rows(place: Path) -> None:
    path = one(place, "predictions.parquet")
    table = pq.read_table(path)
    pq.write_table(table.take([1, 0, *range(2, len(table))]), path)


def raise_accuracy(place: Path) -> None:
    alter(place, lambda told: told["overall"]["accuracy"].update(value=0.99))


def change_the_hash(place: Path) -> None:
    alter(place, lambda told: told["data"].update(sha256="0" * 64))


def hold_half_a_character(place: Path) -> None:
    alter(place, lambda told: told["judge"].update(note="\ud800"))


def have_no_name(place: Path) -> None:
    alter(place, lambda told: told["judge"].update(name=" "))


def count_beyond_all_numbers(place: Path) -> None:
    alter(place, lambda told: told["overall"].update(n=10**400))


def write_no_number(place: Path) -> None:
    alter(place, lambda told: told["usage"].update(cost_usd=float("nan")))


def name_another_field(place: Path) -> None:
    alter(place, lambda told: told.update(rank=1))


ALTERED = [
    (raise_accuracy, "overall.accuracy is 0.99 there but"),
    (lose_a_row, "overall.n is 24 there but 23 by the predictions"),
    (swap_two_rows, "row 1 is not that row of ferry-logs"),
    (change_the_hash, "field data.sha256 is 0000000000000000…"),
    (name_another_field, "field rank: Extra inputs"),
    (hold_half_a_character, "surrogates not allowed"),
    (have_no_name, "field judge.name is empty"),
    (count_beyond_all_numbers, "the number 100000000000000000… is too large"),
    (write_no_number, "NaN is no number"),
]


def test_results_as_measured_hold(place: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "check", "results", "--data", "ferry-logs") == 0
    said = capsys.readouterr()
    held = "agrees with its parts, its predictions and the data"
    assert f"one on ferry-logs: {held}" in said.out
    assert "2 results: 2 ok, 0 refused" in said.err


@pytest.mark.parametrize(("change", "told"), ALTERED)
def test_altered_results_are_refused_and_the_others_still_told(
    place: Path, monkeypatch, capsys, change, told
) -> None:
    change(place)
    assert run(monkeypatch, "check", "results", "--data", "ferry-logs") == 2
    said = capsys.readouterr()
    assert told in said.out
    assert "two on ferry-logs: agrees" in said.out
    assert "2 results: 1 ok, 1 refused" in said.err


@pytest.mark.parametrize(("change", "told"), ALTERED)
def test_no_page_is_built_of_altered_results(
    place: Path, monkeypatch, capsys, change, told
) -> None:
    change(place)
    code = run(monkeypatch, "build", "results", "--data", "ferry-logs", "--out", "site")
    assert code == 2
    assert told in capsys.readouterr().err
    assert not (place / "site").exists()


def test_one_hash_for_two_sets_of_rows_is_found_without_the_data(place: Path) -> None:
    path = one(place, "predictions.parquet")
    table = pq.read_table(path)
    ids = [f"other-{number}" for number in range(len(table))]
    pq.write_table(table.set_column(0, table.schema.field("id"), [ids]), path)
    faults = [finding.fault for finding in validate([place / "results"])]
    assert sum("are not of the same rows" in fault for fault in faults) == 1


def test_a_judge_twice_on_the_same_rows_is_refused(place: Path) -> None:
    shutil.copytree(one(place).parent, place / "results" / "zwei")
    faults = [finding.fault for finding in validate([place / "results"])]
    assert sum("same judge on the same data" in fault for fault in faults) == 1


def test_who_waits_is_told_of_every_result(place: Path) -> None:
    told: list[tuple[int, int]] = []
    validate([place / "results"], seen=lambda done, total: told.append((done, total)))
    read_entries([place / "results"], lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)] * 2


def test_results_without_predictions_are_held_against_their_parts(place: Path) -> None:
    one(place, "predictions.parquet").unlink()
    found = {finding.judge: finding.checked for finding in validate([place / "results"])}
    assert found == {"one": ("its parts",), "two": ("its parts", "its predictions")}


@pytest.mark.parametrize("sha256", ["", "../../../../x", "0" * 63, "G" * 64])
def test_a_hash_that_is_none_names_no_folder(place: Path, monkeypatch, capsys, sha256: str) -> None:
    alter(place, lambda told: told["data"].update(sha256=sha256))
    assert run(monkeypatch, "build", "results", "--out", "a/b/site") == 2
    assert "which is no sha256" in capsys.readouterr().err
    assert not (place / "a").exists()


@pytest.mark.parametrize("cases", ["1000", "0"])
def test_results_of_other_rows_than_the_data_are_refused_with_both_hashes(
    place: Path, monkeypatch, capsys, cases: str
) -> None:
    rows, origins = board_world.twins(3)
    board_world.dataset.write(place / "other", rows, origins)
    other = board_world.dataset.load(str(place / "other")).sha256[:16]
    judged = json.loads(one(place).read_text("utf-8"))["data"]["sha256"][:16]
    arguments = ("results", "--data", "other", "--cases", cases, "--out", "site")
    assert run(monkeypatch, "build", *arguments) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"data.sha256 is {judged}…, of no rows in the data given (other has {other}…)" in said


def test_data_with_columns_of_other_names_is_the_same_data(place: Path, monkeypatch) -> None:
    rows = board_world.dataset.load(str(place / "ferry-logs")).examples
    told = [{"context" if k == "passage" else k: v for k, v in asdict(row).items()} for row in rows]
    pq.write_table(pa.Table.from_pylist(told), place / "own.parquet")
    arguments = ("results", "--data", "own.parquet", "--map", "passage=context")
    assert run(monkeypatch, "check", *arguments) == 0
    assert run(monkeypatch, "build", *arguments, "--out", "site") == 0


def test_a_hash_without_predictions_is_held_against_the_data(place: Path) -> None:
    one(place, "predictions.parquet").unlink()
    data = [board_world.dataset.load(str(place / "ferry-logs"))]
    found = {finding.judge: finding.checked for finding in validate([place / "results"], data)}
    assert found["one"] == ("its parts", "the hash of the data")
    change_the_hash(place)
    faults = [finding.fault for finding in validate([place / "results"], data)]
    assert sum("field data.sha256 is 0000000000000000…" in fault for fault in faults) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format: halubench/judge/1\nsize: 8", "field size"),
        ("format: halubench/judge/1\nparameters_b: -8", "field parameters_b"),
        ("format: halubench/judge/1\nurl: javascript:alert(1)", "field url"),
        ("format: halubench/judge/1\nopenness: very", "field openness"),
        ("title: x", "field format"),
        ("- a", "the file"),
        (": : :", "is not YAML"),
    ],
)
def test_a_judges_card_is_refused_with_its_field(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "judge.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"judge\.yaml.*{told}"):
        load_card(tmp_path / "judge.yaml")


@pytest.fixture
def site(place: Path, monkeypatch, capsys) -> Path:
    board_world.describe(one(place), title="One", parameters_b=8)
    assert run(monkeypatch, "build", "results", "--data", "ferry-logs", "--out", "site") == 0
    assert "12 of 12 questions" in capsys.readouterr().err
    return place / "site"


def test_the_page_is_served_to_this_machine_alone(site: Path) -> None:
    with server(site) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        host, port = serving.server_address[:2]
        assert host == "127.0.0.1"
        with urlopen(f"http://{host}:{port}/") as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.read() == (site / "index.html").read_bytes()
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://{host}:{port}/%2e%2e/results")
        with pytest.raises(OutputError, match=f"Port {port} cannot be used"):
            server(site, port)
        serving.shutdown()


def test_a_folder_without_a_leaderboard_is_neither_served_nor_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no leaderboard"):
        server(tmp_path)
    with pytest.raises(InputError, match="holds no leaderboard"):
        export(tmp_path, "csv", tmp_path / "out.csv")


@pytest.mark.parametrize("form", ["markdown", "csv", "json"])
def test_a_table_is_exported_as_it_was_built(site: Path, monkeypatch, form: str) -> None:
    assert run(monkeypatch, "export", "site", "--to", form, "--out", "deep/table") == 0
    known = {path.read_bytes() for path in site.glob("leaderboard.*")}
    assert (site.parent / "deep/table").read_bytes() in known


def test_a_space_is_the_folder_with_a_card_that_says_static(site: Path, monkeypatch) -> None:
    assert run(monkeypatch, "export", "site", "--to", "space", "--out", "space") == 0
    space = site.parent / "space"
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert files < {path.relative_to(space) for path in space.rglob("*")}
    _, front, rest = (space / "README.md").read_text("utf-8").split("---\n", 2)
    told = yaml.safe_load(front)
    assert (told["sdk"], told["app_file"]) == ("static", "index.html")
    assert len(told["short_description"]) <= 60
    assert "ferry-logs: 2 judges, 24 rows" in rest
    with pytest.raises(OutputError, match="is not empty"):
        export(site, "space", space)


def test_a_picture_is_a_png_of_every_board(site: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plots is not installed")
    png = export(site, "png", site.parent / "board.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width > 1000 < 4 * height


def test_a_picture_without_matplotlib_says_what_to_install(site: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"halubench\[plots\]"):
        export(site, "png", site.parent / "board.png")
