"""A small benchmark of twins, and made-up judges of known skill, evaluated by the real thing."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from halubench import dataset, predictions
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.metrics.summary import summarise
from halubench.records import Example, Provenance

if TYPE_CHECKING:
    from pathlib import Path


SOURCES = {"ferries": "general", "ledgers": "finance", "trials": "medical"}
TYPES = ("amount-swap", "negation", "date-shift")
Cards = dict[str, object]


def twins(each: int = 20) -> tuple[list[Example], dict[str, Provenance]]:
    """``each`` pairs a source; the FAIL answer has another number."""
    rows: list[Example] = []
    origins: dict[str, Provenance] = {}
    for source, domain in SOURCES.items():
        for number in range(each):
            pair, right, wrong = f"{source}-{number}", 20 + number, 220 + 3 * number
            passage = (
                f"In its log for day {number}, the {source} office counts {right} entries before "
                f"noon and {wrong} after it, and closes at {number % 12 + 1} o'clock."
            )
            for label, told in (("PASS", right), ("FAIL", wrong)):
                id = f"{pair}-{'ab'[(number + (label == 'PASS')) % 2]}"
                answer = f"It counts {told} entries before noon."
                question = (
                    f"How many entries does the {source} office count before noon, day {number}?"
                )
                rows.append(Example(id, passage, question, answer, label, source))
                origins[id] = _origin(id, pair, domain, TYPES[number % 3], (str(right), str(wrong)))
    return rows, origins


def _origin(id: str, pair: str, domain: str, kind: str, edit: tuple[str, str]) -> Provenance:
    old, new = edit
    return Provenance(
        id=id, pair_id=pair, item_id=pair, group=pair, split="test", domain=domain,
        perturbation=kind, relation="contradiction", level="L2", edit_old=old, edit_new=new,
        change_made=f"{old} -> {new}", evidence="", base="", generator="rules", prompt_hash="",
        seed=0, votes="", hardness=0.5, license="CC0-1.0",
    )  # fmt: skip


def judge(rows: list[Example], path: Path, skill: float, told: str = "") -> Path:
    """A table of verdicts, right with that probability, a few of them unreadable."""
    draw = random.Random(path.stem)
    lines = []
    for row in rows:
        right = draw.random() < skill
        verdict = row.label if right else {"PASS": "FAIL", "FAIL": "PASS"}[row.label]
        sure = min(0.99, max(0.51, draw.gauss(skill, 0.12)))
        line = {
            "id": row.id,
            "verdict": "neither" if draw.random() < 0.02 else verdict,
            "p_fail": sure if verdict == "FAIL" else 1 - sure,
            "reasoning": told
            or f"The passage {'bears out' if verdict == 'PASS' else 'contradicts'} this.",
        }
        lines.append(json.dumps(line) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def results(folder: Path, skills: dict[str, float], each: int = 20) -> tuple[Path, Path]:
    """The folders of a benchmark and of its results, one judge a name."""
    rows, origins = twins(each)
    data, out = folder / "ferry-logs", folder / "results"
    dataset.write(data, rows, origins)
    loaded = dataset.load(str(data))
    for name, skill in skills.items():
        table = judge(rows, folder / f"{name}.jsonl", skill)
        evaluate(f"recorded:{table}", loaded, EvaluateOptions(out))
    return data, out


def spend(found: Path, cost: float, latency: float) -> None:
    """Have the judge of a ``results.json`` take so many dollars in all, and seconds a row."""
    path = found.with_name(predictions.PREDICTIONS)
    rows = predictions.read(path)
    took = {"cost_usd": cost / len(rows), "latency_s": latency, "attempts": 1}
    rows = [replace(row, said=replace(row.said, **took)) for row in rows]
    predictions.write(path, predictions.table(rows))
    told = json.loads(found.read_text("utf-8"))
    told["usage"] = summarise(rows, told["seed"], resamples=0).usage.model_dump()
    found.write_text(json.dumps(told), encoding="utf-8")


def describe(found: Path, **card: object) -> None:
    """A ``judge.yaml`` beside a ``results.json``."""
    told = {"format": "halubench/judge/1", **card}
    found.with_name("judge.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
