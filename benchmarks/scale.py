"""`halubench generate --model rules` on synthetic rows: how time and memory grow with their number.

``python benchmarks/scale.py [ROWS ...]`` (500 and 2,000 unless given) prints, for each
stage and size, rows a second of processor time and the growth exponent between the smallest and the
largest size (1: linear), and the peak memory of each run. Every size runs in a process of its own.
``--code`` stops after the check: ingest, groups, anchor, edits and check alone. ``--keep FOLDER`` keeps sources and results there; ``--rows-only`` writes the sources alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from math import log
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.generate import Ask, Tick

SIZES = (500, 2_000)
NEAR = 0.1
"""Share of rows whose passage is that of an earlier row with a word or two changed."""
_SOUNDS = (
    "bar", "den", "fel", "gor", "hal", "kim", "lor", "mas", "nor", "pel",
    "quin", "ros", "sel", "tor", "ul", "ver", "wick", "yar", "zet", "brac",
)  # fmt: skip
_NOUNS = (
    "bridge", "mill", "school", "ferry", "harbour", "chapel", "library", "station", "market", "garden",
    "tower", "canal",
)  # fmt: skip
_TRADES = (
    "tanning", "weaving", "fishing", "brewing", "printing", "quarrying", "milling", "farming",
)  # fmt: skip
_MOVES = ("increased", "decreased", "rose", "fell")


def rows(count: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """``count`` gold rows in three sources: passages of some 110 words, one in ten nearly an earlier
    one; answers are years, amounts, names, directions and yes or no."""
    draw = Random(seed)
    recent: list[tuple[str, list[tuple[str, str]]]] = []
    for number in range(count):
        again = recent and draw.random() < NEAR
        passage, asked = draw.choice(recent) if again else _place(draw)
        if again:
            passage = passage.replace("The record", "This record").replace("quiet", "small")
        else:
            recent = [*recent[-63:], (passage, asked)]
        question, answer = asked[draw.randrange(len(asked))]
        source = ("general", "finance", "medical")[number % 3]
        yield {
            "id": f"row-{number:07}", "passage": passage, "question": question, "answer": answer,
            "domain": source, "source_ds": f"synthetic-{source}", "license": "Apache-2.0",
        }  # fmt: skip


def _name(draw: Random) -> str:
    return "".join(draw.choice(_SOUNDS) for _ in range(draw.randint(2, 3))).capitalize()


def _place(draw: Random) -> tuple[str, list[tuple[str, str]]]:
    """A passage, and the questions that it answers."""
    town, mason, river = _name(draw), f"{_name(draw)} {_name(draw)}", _name(draw)
    noun, other = draw.sample(_NOUNS, 2)
    trade, move = draw.choice(_TRADES), draw.choice(_MOVES)
    year, later = draw.randint(1100, 1700), draw.randint(1701, 2010)
    people, tall, workers = (
        draw.randint(900, 90_000),
        draw.randint(11, 98),
        draw.randint(100, 9_000),
    )
    share, sales = draw.randint(20, 900) / 10, draw.randint(10, 9_999) / 10
    passage = (
        f"{town} is a quiet town on the River {river}, {draw.randint(3, 90)} miles from "
        f"{_name(draw)}. It had a population of {people:,} at the census of {later}. The record "
        f"begins in {year}, when the {noun} of {_name(draw)} was built under the mason {mason}. The "
        f"{noun} is {tall} metres high, and its {other} was added by {_name(draw)} {_name(draw)} "
        f"after a fire. For two centuries the town lived by {trade}; the works of {_name(draw)} and "
        f"{_name(draw)} employed {workers:,} people. In {later} the number of visitors {move} by "
        f"{share}%, and sales of the {_name(draw)} company came to £{sales:,} million. A road to "
        f"{_name(draw)} and {_name(draw)} was opened by {_name(draw)} {_name(draw)} in the same year."
    )
    return passage, [
        (f"When was the {noun} built?", str(year)),
        (f"What was the population of {town}?", f"{people:,}"),
        (f"Who was the mason of the {noun}?", mason),
        (f"How did the number of visitors to {town} change in {later}?", f"It {move} by {share}%"),
        ("How large were the company's sales?", f"£{sales:,} million"),
        (f"How high is the {noun}?", f"{tall} metres"),
        ("How many people did the works employ?", f"{workers:,}"),
        (f"Did the number of visitors {'rise' if move in _MOVES[::2] else 'fall'}?", "yes"),
        (f"Did the number of visitors {'fall' if move in _MOVES[::2] else 'rise'}?", "no"),
    ]  # fmt: skip


def write_rows(path: Path, count: int) -> Path:
    """The rows as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(count))
    return path


class Clock:
    """Processor seconds by stage, as the run's own progress tells them apart."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.stage, self.since = "before ingest", time.process_time()

    def __call__(self, tick: Tick) -> None:
        """A stage that is done, is followed by what comes before the next one begins."""
        done = tick.total and tick.done >= tick.total
        self.enter(f"after {tick.stage}" if done else tick.stage)

    def enter(self, stage: str) -> None:
        """From now on, time is this stage's."""
        if stage != self.stage:
            now = time.process_time()
            self.spent[self.stage] += now - self.since
            self.stage, self.since = stage, now


def code(ask: Ask, clock: Clock) -> int:
    """The stages up to the check; how many items have a pair that passed."""
    from halubench.generate import Tick
    from halubench.generate.flow import prepare
    from halubench.generate.propose import Pool, RuleProposer

    found = prepare(ask, clock)
    total = len(found.statements)
    made = RuleProposer(
        Pool(), found.statements, ask.seed, lambda done: clock(Tick("edits, check", done, total))
    )
    return len(made.pool.passed)


def measure(source: Path, out: Path, *, whole: bool) -> None:
    """Generate, and print what it took as JSON."""
    from halubench.generate import Ask, generate

    clock, ask = Clock(), Ask((str(source),), "rules", out)
    pairs = generate(ask, clock).pairs if whole else code(ask, clock)
    clock.enter("end")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"stages": clock.spent, "peak_mb": peak, "pairs": pairs}))


def run(count: int, folder: Path, *, whole: bool) -> dict[str, Any]:
    """One size in a process of its own, on one thread."""
    source = write_rows(folder / f"{count}.jsonl", count)
    line = [sys.executable, __file__, "--measure", str(source), str(folder / f"out-{count}")]
    line += [] if whole else ["--code"]
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(line, env=os.environ | one, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def show(sizes: list[int], found: list[dict[str, Any]]) -> None:
    """The table: a line for each stage that takes a hundredth of the time, and one for all."""
    times = [{**one["stages"], "all": sum(one["stages"].values())} for one in found]
    print(f"{'rows a CPU second':<28}" + "".join(f"{size:>12,}" for size in sizes) + "    exponent")
    for stage in times[-1]:
        spent = [one.get(stage, 0.0) for one in times]
        if spent[-1] < times[-1]["all"] / 100 or not all(spent):
            continue
        rates = "".join(
            f"{size / second:>12,.0f}" for size, second in zip(sizes, spent, strict=True)
        )
        grows = log(spent[-1] / spent[0]) / log(sizes[-1] / sizes[0]) if len(sizes) > 1 else 1.0
        print(f"{stage:<28}{rates}{grows:>12.2f}")
    print(f"{'peak memory, MB':<28}" + "".join(f"{one['peak_mb']:>12,.0f}" for one in found))
    print(f"{'pairs':<28}" + "".join(f"{one['pairs']:>12,}" for one in found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rows-only", action="store_true")
    parser.add_argument("--code", action="store_true")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(*asked.measure, whole=not asked.code)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = sorted(asked.sizes)
        if asked.rows_only:
            for size in sizes:
                write_rows(folder / f"{size}.jsonl", size)
            return
        show(sizes, [run(size, folder, whole=not asked.code) for size in sizes])


if __name__ == "__main__":
    main()
