"""``train prepare``: labelled rows to what a judge is trained on, every row accounted for."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.dataset import content_hash
from halubench.errors import IncompleteError, InputError
from halubench.prompt import load_prompt
from halubench.records import EXAMPLE_FIELDS, Rejected
from halubench.run import RunFolder
from halubench.train import reasoning, rows
from halubench.train.teacher import Lesson, Task, Teacher, teach
from halubench.train.tokens import Tokenizer, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from halubench.dataset import Dataset
    from halubench.prompt import Prompt
    from halubench.records import Example, Json, Provenance
    from halubench.train.tokens import Messages

FORMAT = "halubench/sft/1"
STAGES = ("duplicates", "benchmark", "mix", "reasoning", "length")
Refusal = Literal["refuse", "drop"]
Tell: TypeAlias = Callable[[str, int, int], None]
"""(stage, done, total), for a progress bar."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to prepare.

    ``benchmarks`` are the datasets that the judge is to be evaluated on; ``mix`` the training rows
    to draw of each source; ``tokenizer`` a folder or Hub id, without which nothing is counted and
    ``sequence_length`` (tokens) cannot be held to. ``validation`` is the share of passages kept
    apart. ``contaminated`` and ``over_long`` say whether such rows are an error or left out.
    """

    data: tuple[str, ...]
    out: Path
    target: Literal["reasoning", "direct"] = "reasoning"
    teacher: Teacher | None = None
    prompt: str = "lynx"
    benchmarks: tuple[str, ...] = ()
    contaminated: Refusal = "refuse"
    mix: Mapping[str, int] = field(default_factory=dict[str, int])
    validation: float = 0.25
    tokenizer: str | None = None
    sequence_length: int | None = None
    over_long: Refusal = "refuse"
    split: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int = 17

    def check(self) -> None:
        """Raise InputError for what cannot be meant."""
        if self.target == "reasoning" and self.teacher is None:
            what = "Reasoning needs a teacher to write it."
            raise InputError(what, "Add --teacher openai:gpt-4o, or --target direct.")
        if not 0 <= self.validation < 1:
            raise InputError(f"--validation {self.validation:g} is no share.", "Use 0 up to 0.5.")
        if self.sequence_length and not self.tokenizer:
            what = "A sequence length cannot be held to without the judge's tokenizer."
            raise InputError(what, "Give the model's folder or Hub id by --tokenizer.")

    def asked(self) -> dict[str, Json]:
        """What decides the outcome: no folders, no limits of time or money."""
        return {
            "data": list(self.data),
            "target": self.target,
            "teacher": self.teacher.uri if self.teacher and self.target == "reasoning" else None,
            "reason_prompt": self.teacher.prompt if self.teacher else None,
            "prompt": self.prompt,
            "benchmarks": list(self.benchmarks),
            "mix": dict(self.mix),
            "validation": self.validation,
            "tokenizer": self.tokenizer,
            "sequence_length": self.sequence_length,
            "split": self.split,
            "mapping": dict(self.mapping),
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One row to learn: the chat that ends in what the judge should write, and its tokens."""

    example: Example
    prompt: Messages
    completion: str
    tokens: int

    @property
    def chat(self) -> Messages:
        """Prompt and completion as one chat."""
        return (*self.prompt, ("assistant", self.completion))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made. ``read`` = the rows of ``splits`` and of ``rejected``, together."""

    out: Path
    read: int
    splits: Mapping[str, Sequence[Row]]
    rejected: Sequence[Rejected]
    lesson: Lesson
    counted: bool

    def reasons(self) -> dict[str, Counter[str]]:
        """Rows left out by stage and reason; what it says of one row alone is cut off."""
        found = {stage: Counter[str]() for stage in STAGES}
        for one in self.rejected:
            found[one.stage][one.reason.partition(" (")[0]] += 1
        return found


def prepare(ask: Ask, tell: Tell) -> Prepared:
    """Choose the rows, have the reasoning written, count tokens, and write ``ask.out``.

    Raises InputError naming rows that may not be used, IncompleteError when the teacher left
    requests unanswered; what was answered is kept, and the same command goes on.
    """
    ask.check()
    counter = Tokenizer(ask.tokenizer) if ask.tokenizer else None  # Before a teacher is paid.
    prompt = load_prompt("judge", ask.prompt)
    found = rows.load(ask.data, ask.split, ask.mapping)
    with RunFolder.open(ask.out, ask.asked()) as folder:
        splits, rejected, read = _choose(ask, found, tell)
        lesson = _learn(ask, found, splits, folder, tell)
        made = _rows(ask, counter, prompt, splits, lesson, tell)
        made, over = _fit(ask, made)
        if not made["train"]:
            raise InputError(*_none_left(read, [*rejected, *lesson.rejected, *over]))
        done = Prepared(
            ask.out, read, made, [*rejected, *lesson.rejected, *over], lesson, bool(ask.tokenizer)
        )
        _write(ask, done, prompt, found, folder)
    return done


def _choose(
    ask: Ask, found: Sequence[Dataset], tell: Tell
) -> tuple[dict[str, list[Example]], list[Rejected], int]:
    every = [row for data in found for row in data.examples]
    tell("Comparing passages", 0, 3)
    kept, twice = rows.distinct(every)
    kept, leaked = rows.apart(kept, ask.benchmarks, ask.contaminated == "drop")
    tell("Comparing passages", 2, 3)
    splits = rows.split(kept, ask.validation)
    pairs = {name: one.pair_id for data in found for name, one in data.provenance.items()}
    unused: list[Rejected] = []
    if ask.mix:
        splits, unused = rows.mix(splits, ask.mix, pairs, ask.seed)
    tell("Comparing passages", 3, 3)
    if not splits["train"]:
        raise InputError("No row is left to train on.", "Give more data, or a smaller mix.")
    return splits, [*twice, *leaked, *unused], len(every)


def _learn(
    ask: Ask,
    found: Sequence[Dataset],
    splits: Mapping[str, Sequence[Example]],
    folder: RunFolder,
    tell: Tell,
) -> Lesson:
    chosen = [row for name in rows.SPLITS for row in splits[name]]
    if ask.target == "direct" or ask.teacher is None:
        return Lesson(points={row.id: [] for row in chosen})
    gold = rows.gold_answers(row for data in found for row in data.examples)
    origins = {name: one for data in found for name, one in data.provenance.items()}
    tasks = [_task(row, gold, origins) for row in chosen]
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        tell("Writing the reasoning", done, len(tasks))

    tell("Writing the reasoning", 0, len(tasks))
    lesson = asyncio.run(teach(tasks, ask.teacher, folder.journal, advance))
    if lesson.missing:
        name, reason = next(iter(lesson.missing.items()))
        what = f"{len(lesson.missing):,} of {len(tasks):,} rows got no answer ({name}: {reason})."
        raise IncompleteError(what, "Run the same command again: only those are asked again.")
    return lesson


def _task(
    row: Example, gold: Mapping[tuple[str, str], str], origins: Mapping[str, Provenance]
) -> Task:
    if row.label == "PASS":
        return Task(row)
    change = origins[row.id].change_made if row.id in origins else ""
    return Task(row, change, gold.get(rows.asked(row), ""))


def _rows(
    ask: Ask,
    counter: Tokenizer | None,
    prompt: Prompt,
    splits: Mapping[str, Sequence[Example]],
    lesson: Lesson,
    tell: Tell,
) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {}
    for name, examples in splits.items():
        tell("Counting tokens", len(made), len(splits))
        kept = [row for row in examples if row.id in lesson.points]
        asks = [
            prompt.messages(question=row.question, passage=row.passage, answer=row.answer)
            for row in kept
        ]
        said = [reasoning.completion(lesson.points[row.id], row.label, ask.prompt) for row in kept]
        chats = [(*a, ("assistant", s)) for a, s in zip(asks, said, strict=True)]
        sizes = _sizes(counter, chats, kept)
        made[name] = [Row(*parts) for parts in zip(kept, asks, said, sizes, strict=True)]
    return made


def _none_left(read: int, rejected: Sequence[Rejected]) -> tuple[str, str]:
    """What to say where every row was left out, and the remedy."""
    counts = Counter(one.reason.partition(" (")[0] for one in rejected)
    why = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common(3))
    what = f"No row is left to train on, of {read:,} read: {why or 'all are for validation'}."
    return what, "Change what leaves them out, or give more data."


def _sizes(
    counter: Tokenizer | None, chats: Sequence[Messages], examples: Sequence[Example]
) -> list[int]:
    if counter is None:
        return estimate(chats)
    return counter.count(chats) if counter.writes else counter.count_pairs(examples)


def _fit(
    ask: Ask, made: Mapping[str, Sequence[Row]]
) -> tuple[dict[str, list[Row]], list[Rejected]]:
    """The rows that fit the sequence; a cut would take the score, which stands last."""
    most = ask.sequence_length
    if most is None:
        return {name: list(found) for name, found in made.items()}, []
    over = [row for found in made.values() for row in found if row.tokens > most]
    if over and ask.over_long == "refuse":
        named = ", ".join(f"{row.example.id} ({row.tokens:,})" for row in over[:5])
        what = (
            f"{len(over):,} of {sum(map(len, made.values())):,} rows are longer than {most:,} "
            f"tokens: {named}{', ...' if len(over) > 5 else ''}."
        )
        remedy = "Allow longer sequences by --length, or leave them out by --over-long drop."
        raise InputError(what, remedy)
    gone = [
        Rejected(
            row.example.source_ds, row.example.id, "length", f"longer than {most} ({row.tokens})"
        )
        for row in over
    ]
    kept = {name: [row for row in found if row.tokens <= most] for name, found in made.items()}
    return kept, gone


def _write(
    ask: Ask, done: Prepared, prompt: Prompt, found: Sequence[Dataset], folder: RunFolder
) -> None:
    for name, made in done.splits.items():
        for form, line in (("messages", _messages), ("prompt_completion", _prompt_completion)):
            (ask.out / form).mkdir(exist_ok=True)
            text = "".join(json.dumps(line(row), ensure_ascii=False) + "\n" for row in made)
            folder.write_text(f"{form}/{name}.jsonl", text)
        _table(ask.out / "data" / f"{name}.parquet", made)
    rejected = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in done.rejected)
    folder.write_text("rejected.jsonl", "".join(rejected))
    folder.write_json("manifest.json", manifest(ask, done, prompt, found))


def manifest(ask: Ask, done: Prepared, prompt: Prompt, found: Sequence[Dataset]) -> dict[str, Json]:
    """What was asked and what came of it, in counts that add up to the rows read."""
    lesson = done.lesson
    return {
        "format": FORMAT,
        "asked": ask.asked(),
        "data_sha256": {data.ref: data.sha256 for data in found},
        "prompt_hash": prompt.hash,
        "rows_read": done.read,
        "rejected": {stage: dict(count) for stage, count in done.reasons().items() if count},
        "splits": {name: _facts(made, done.counted) for name, made in done.splits.items()},
        "teacher": {
            "calls": lesson.calls,
            "replies_that_did_not_serve": dict(lesson.tries),
            "prompt_tokens": lesson.prompt_tokens,
            "completion_tokens": lesson.completion_tokens,
        },
    }


def _facts(made: Sequence[Row], counted: bool) -> dict[str, Json]:
    by_source = Counter(f"{row.example.source_ds} {row.example.label}" for row in made)
    return {
        "rows": len(made),
        "sha256": content_hash(row.example for row in made),
        "by_source_and_label": dict(sorted(by_source.items())),
        "tokens": sum(row.tokens for row in made),
        "longest": max((row.tokens for row in made), default=0),
        "tokens_are": "counted" if counted else "estimated",
    }


def _messages(row: Row) -> dict[str, Json]:
    return {"messages": _chat(row.chat)}


def _prompt_completion(row: Row) -> dict[str, Json]:
    return {"prompt": _chat(row.prompt), "completion": _chat([("assistant", row.completion)])}


def _chat(messages: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"role": role, "content": text} for role, text in messages]


def _table(path: Path, made: Sequence[Row]) -> None:
    """The six columns, so that evaluate and audit read it, and the completion and its length."""
    path.parent.mkdir(exist_ok=True)
    columns: dict[str, list[object]] = {
        name: [getattr(row.example, name) for row in made] for name in EXAMPLE_FIELDS
    }
    columns["completion"] = [row.completion for row in made]
    columns["tokens"] = [row.tokens for row in made]
    pq.write_table(pa.table(columns), path, compression="zstd")
