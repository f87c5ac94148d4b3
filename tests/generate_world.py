"""A small world to generate from: items that rules and a scripted model can edit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from scripted_server import Reply, Seen, chat

from halubench.generate import Ask
from halubench.models.base import EngineOptions

TOWNS = ("Ardmoor", "Belford", "Calne", "Dunley", "Elvet", "Farnham", "Gorse", "Harlow")

if TYPE_CHECKING:
    from pathlib import Path


def row(number: int) -> dict[str, str]:
    """One gold question whose passage is unlike all others and holds several numbers."""
    town = f"{TOWNS[number % len(TOWNS)]} {chr(65 + number // len(TOWNS))}"
    cars, vans = 20 + 3 * number, 101 + 7 * number
    return {
        "id": f"q{number}",
        "passage": f"The ferry of {town} carries {cars} cars and {vans} vans. In its year of service "
        f"number {number + 500} the harbour of {town} counted {311 + number} crossings.",
        "question": f"How many cars does the ferry of {town} carry?",
        "answer": str(cars),
        "source_ds": "ferries",
        "domain": "general",
        "license": "CC-BY-4.0",
    }


def source(folder: Path, count: int, name: str = "ferries", **change: str) -> Path:
    """A jsonl file of that many rows."""
    path = folder / f"{name}.jsonl"
    rows = ({**row(number), **change} for number in range(count))
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def ask(folder: Path, *sources: Path, **change: object) -> Ask:
    """An ask into ``folder/out``, of few requests in flight."""
    named = {"model": "rules", "out": folder / "out", "engine": EngineOptions(30.0, 4, 1.0, 2.0)}
    return Ask(tuple(map(str, sources)), **{**named, **change})  # type: ignore[arg-type]


def propose(seen: Seen, *, delay_s: float = 0.0) -> Reply:
    """What an able model answers: the true number with its first digit changed, as a function of the
    request alone."""
    schema = json.loads(json.dumps(seen.body))["response_format"]["json_schema"]["schema"]
    fields = schema["properties"]
    if "old" not in fields:
        return chat(json.dumps({"new_fail": fields["new_fail"]["enum"][0]}), delay_s=delay_s)
    old = fields["old"]["enum"][0]
    new = re.sub(r"\d", lambda digit: str(int(digit.group()) % 9 + 1), old, count=1)
    told = re.search(r"Passage:\n(.+)", seen.prompt)[1]
    said = {"old": old, "new_fail": new, "new_pass": old, "evidence": told, "change_made": "number"}
    return chat(json.dumps(said), tokens=(100, 20), delay_s=delay_s)


def judge(seen: Seen) -> Reply:
    """A juror that reads: PASS where the answer gives the number that stands before 'cars'."""
    cars = re.search(r"carries (\d+) cars", seen.prompt)
    answer = re.search(r"(?:ANSWER|Their answer): (.+)|\":\n(.+)\n\nThe only source", seen.prompt)
    right = cars and answer and re.search(rf"\b{cars[1]}\b", answer[1] or answer[2])
    claims = [{"claim": "cars", "quote": cars[0]}] if cars else []
    return chat(json.dumps({"claims": claims, "SCORE": "PASS" if right else "FAIL"}))
