"""``halubench leaderboard``: what check refuses, what serve gives, what export writes."""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
from dataclasses import asdict, replace
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import board_world
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from halubench import dataset, predictions
from halubench.cli import main
from halubench.errors import InputError, MissingExtraError, OutputError
from halubench.floors import MAJORITY, Labelled, floor
from halubench.metrics.summary import summarise
from halubench.rank import read_entries, validate
from halubench.rank.export import export
from halubench.rank.judge_card import load_card
from halubench.rank.serve import server
from halubench.records import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from halubench.predictions import Judged


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


def narrow_an_interval(place: Path) -> None:
    alter(place, lambda told: told["macro_accuracy"].update(low=told["macro_accuracy"]["value"]))


def narrow_the_interval_of_a_probability(place: Path) -> None:
    alter(
        place, lambda told: told["overall"]["auroc"].update(low=told["overall"]["auroc"]["value"])
    )


def lower_the_majority(place: Path) -> None:
    alter(place, lambda told: told["baselines"]["baseline:majority"]["accuracy"].update(high=0.9))


def lower_the_floor_of_length(place: Path) -> None:
    alter(place, lambda told: told["baselines"]["baseline:length"]["accuracy"].update(value=0.1))


def draw_but_twice(place: Path) -> None:
    write_again(place, predictions.read(one(place, "predictions.parquet")), 2)


def part_the_twins(place: Path) -> None:
    """Every row a passage of its own, and figures that follow from it: the intervals are narrower."""
    path = one(place, "predictions.parquet")
    rows = [replace(row, group=str(at)) for at, row in enumerate(predictions.read(path))]
    predictions.write(path, predictions.table(rows))
    write_again(place, rows)


def write_again(place: Path, rows: list[Judged], resamples: int = 2000) -> None:
    """All that follows from these predictions."""
    bare = tuple(Example(r.said.id, "", "", "", r.label, r.source_ds) for r in rows)
    labelled = Labelled(bare, tuple(r.group for r in rows), tuple(r.pair_id for r in rows))
    majority = floor(MAJORITY, labelled, 0, resamples).model_dump(mode="json")
    figures = summarise(rows, 0, resamples).model_dump(mode="json")
    alter(place, lambda told: told.update(figures, resamples=resamples))
    alter(place, lambda told: told["baselines"].update({MAJORITY: majority}))


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
    (narrow_an_interval, "macro_accuracy.low is"),
    (lower_the_majority, "baseline:majority.accuracy.high is 0.9 there but"),
    (lower_the_floor_of_length, "baseline:length.accuracy is 0.1 there but"),
    (draw_but_twice, "are of 2 resamples only"),
    (part_the_twins, "its passage is in another group in an earlier row"),
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


def test_no_number_that_follows_from_predictions_and_rows_can_be_altered(place: Path) -> None:
    """Each of sixty numbers, drawn from all, is raised a little; speed alone follows from nothing."""
    data = [dataset.load("ferry-logs")]
    whole = json.loads(one(place).read_text("utf-8"))
    ways = [way for way in _numbers(whole) if way[0] not in {"speed", "judge"}]
    for way in random.Random(0).sample(ways, 60):
        told = json.loads(json.dumps(whole))
        part = told
        for key in way[:-1]:
            part = part[key]
        part[way[-1]] += 1 if isinstance(part[way[-1]], int) else 0.02
        one(place).write_text(json.dumps(told), encoding="utf-8")
        (found,) = validate([one(place).parent], data)
        assert found.fault, way


def _numbers(value: object, way: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from _numbers(part, (*way, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield way


def test_the_interval_of_a_probability_is_drawn_again_by_check_alone(
    place: Path, monkeypatch, capsys
) -> None:
    narrow_the_interval_of_a_probability(place)
    assert run(monkeypatch, "check", "results") == 2
    assert "overall.auroc.low is" in capsys.readouterr().out
    assert run(monkeypatch, "build", "results", "--out", "site") == 0
    assert "the floor of length is as the results state it" in capsys.readouterr().err


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
