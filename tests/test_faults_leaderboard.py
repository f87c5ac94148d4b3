"""Results that were altered, and files beside them that are not theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from generate_world import row

from halubench import audit, dataset
from halubench.errors import InputError
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.rank import build_all, read_audits, read_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from halubench.dataset import Dataset
    from halubench.results import Results


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    path = tmp_path / "bench.jsonl"
    rows = [{**row(i), "label": "PASS" if i % 3 else "FAIL"} for i in range(24)]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return dataset.load(str(path))


@pytest.fixture
def folder(tmp_path: Path, data: Dataset) -> Path:
    evaluate("baseline:length", data, EvaluateOptions(tmp_path / "results"))
    return tmp_path / "results"


def alter(folder: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    (path,) = folder.rglob("results.json")
    told = json.loads(path.read_text("utf-8"))
    change(told)
    path.write_text(json.dumps(told), encoding="utf-8")


def test_results_as_written_agree_with_their_predictions(folder: Path) -> None:
    assert len(build_all(read_results([folder]), "t").boards) == 1


@pytest.mark.parametrize("field", ["fail_f1", "fail_recall", "balanced_accuracy", "auroc"])
def test_figure_that_the_predictions_do_not_give_is_refused(folder: Path, field: str) -> None:
    alter(folder, lambda told: told["overall"].update({field: {"value": 0.987}}))
    with pytest.raises(InputError, match=rf"overall\.{field} is 0\.987 there but 0\.\d+"):
        read_results([folder])


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("usage", {"cost_usd": -5.0}, "do not add up"),
        ("usage", {"latency_p50": float("inf")}, "is not JSON: Infinity is no number"),
        ("overall", {"unscored": -1}, "do not add up"),
        ("baselines", {"baseline:majority": None}, "do not add up"),
    ],
)
def test_figure_that_cannot_be_is_refused(
    folder: Path, part: str, change: dict[str, object], words: str
) -> None:
    (predictions,) = folder.rglob("predictions.parquet")
    predictions.unlink()
    (path,) = folder.rglob("results.json")
    floor = json.loads(path.read_text("utf-8"))["baselines"]["baseline:majority"]
    told = {**floor, "n": 6, "n_pass": 3, "n_fail": 3}
    whole = {name: told if value is None else value for name, value in change.items()}
    alter(folder, lambda told: told[part].update(whole))
    with pytest.raises(InputError, match=words):
        build_all(read_results([folder]), "t")


def test_source_that_the_predictions_do_not_hold_is_refused(folder: Path) -> None:
    alter(folder, lambda told: told["sources"].update(boats=told["sources"].pop("ferries")))
    with pytest.raises(InputError, match=r"boats\.n is 24 there but None"):
        read_results([folder])


def test_results_are_read_without_their_predictions(folder: Path) -> None:
    (predictions,) = folder.rglob("predictions.parquet")
    predictions.unlink()
    assert len(read_results([folder])) == 1


def test_audit_of_other_rows_is_refused_and_that_of_the_rows_is_shown(
    folder: Path, data: Dataset, tmp_path: Path
) -> None:
    measured: list[Results] = read_results([folder])
    report = audit.audit_examples(data.examples)
    own, other = tmp_path / "own.json", tmp_path / "other.json"
    own.write_text(report.model_copy(update={"sha256": data.sha256}).model_dump_json())
    other.write_text(report.model_copy(update={"sha256": "0" * 64}).model_dump_json())
    (board,) = build_all(measured, "t", audits=read_audits([folder], own, measured)).boards
    assert board.audit is not None
    with pytest.raises(InputError, match=r"other\.json is the audit of other rows"):
        read_audits([folder], other, measured)
