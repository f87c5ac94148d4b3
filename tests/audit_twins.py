"""Rows for the audit's tests: twins without any shortcut, and shortcuts to plant in them."""

from __future__ import annotations

import random
from dataclasses import replace

from halubench.records import Example

NAMES = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel"]


def twins(pairs: int = 120, seed: int = 0) -> list[Example]:
    """Pairs whose answers differ only in which of the passage's two values they give."""
    rng = random.Random(seed)
    rows: list[Example] = []
    for number in range(pairs):
        early, late = rng.sample(range(100, 999), 2)
        name, year = rng.choice(NAMES), rng.randrange(1950, 2010)
        later = year + rng.randrange(2, 9)
        facts = [f"Output was {early} tons for {year}.", f"Output was {late} tons for {later}."]
        rng.shuffle(facts)
        passage = f"Plant {number} of {name} Mills reported. {' '.join(facts)} It closed after {number + 7} years."
        question = f"What was the output of {year}?"
        for label, value in rng.sample([("PASS", early), ("FAIL", late)], 2):
            identity = f"{rng.getrandbits(64):016x}"
            answer = f"The output was {value} tons."
            rows.append(Example(identity, passage, question, answer, label, "mills"))
    rng.shuffle(rows)
    return rows


def planted(change: dict[str, str], examples: list[Example]) -> list[Example]:
    """The rows with each FAIL row's fields rewritten by a template over the row's own fields."""
    return [
        replace(e, **{k: v.format(e=e) for k, v in change.items()}) if e.label == "FAIL" else e
        for e in examples
    ]
