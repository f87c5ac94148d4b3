"""``halubench evaluate``: score judges on a dataset."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import (
    Content,
    PriceIn,
    PriceOut,
    Retries,
    Rpm,
    Timeout,
    Tpm,
    Window,
    look_in,
    named,
)
from halubench.errors import HalubenchError, IncompleteError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rich.table import Table

    from halubench.evaluate import Bench, EvaluateOptions
    from halubench.judges.modes import ModeOptions
    from halubench.records import Prediction
    from halubench.results import Estimate, Results, Scores

Mode = Literal["reason", "direct", "vote"]
Overflow = Literal["error", "truncate", "window"]


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    model: Annotated[
        list[str],
        typer.Option(
            help="A judge, such as openai:gpt-4o, baseline:length or recorded:FILE. Repeatable."
        ),
    ],
    data: Annotated[str, typer.Option(help="A file, run folder or Hub dataset in six columns.")],
    out: Annotated[Path, typer.Option(help="Folder for the results, one subfolder a judge.")],
    mode: Annotated[
        Mode,
        typer.Option(
            help="How a model is asked: reason (JSON with its reasons), direct (one word, whose "
            "probability counts; cheap) or vote (several samples of reason)."
        ),
    ] = "reason",
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            help="A file of prompts/judge, by name. Default: lynx, or direct. Repeatable: one "
            "subfolder a prompt."
        ),
    ] = None,
    variants: Annotated[
        str,
        typer.Option(
            help="Also judge every row in other forms that mean the same, by commas: paragraphs "
            "(of the passage in another order), format (of the passage), rephrase (the question)."
        ),
    ] = "",
    rephraser: Annotated[
        str, typer.Option(help="The model that rephrases questions, such as openai:gpt-4o.")
    ] = "",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Answers a row in --mode vote. Default: 5.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0.01, help="Of --mode vote. Default: 0.7.")
    ] = None,
    overflow: Annotated[
        Overflow,
        typer.Option(
            help="Passages longer than the judge's context: error (stop before any is asked), "
            "truncate (judge their start) or window (judge overlapping windows)."
        ),
    ] = "error",
    context: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens that the judge can read. Default: as its engine says."),
    ] = None,
    tokenizer: Annotated[
        str, typer.Option(help="Repository or folder that counts them. Default: the engine's.")
    ] = "",
    split: Annotated[str | None, typer.Option(help="Only this split of the data.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only a seeded sample of so many rows.")
    ] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
    window: Window = 64,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    retries: Retries = 6,
    max_usd: Annotated[
        float | None, typer.Option(min=0, help="Stop before a judge spends more in this call.")
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample and the intervals.")] = 0,
    content: Content = None,
) -> None:
    """Score judges: accuracy by source with intervals, unreadable answers counted, baselines beside."""
    from halubench.dataset import load
    from halubench.evaluate import EvaluateOptions, asks, check_complete, incomplete, prepare
    from halubench.judges.overflow import LengthOptions
    from halubench.models.base import EngineOptions

    look_in(content)
    if rephraser and not variants:
        raise InputError("--rephraser is of --variants.", "Add --variants rephrase.")
    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    engine = EngineOptions(timeout, window, price_in, price_out, rpm, tpm, _console.note)
    options = EvaluateOptions(
        out,
        engine,
        max_usd=max_usd,
        retries=retries,
        seed=seed,
        limit=limit,
        mode=_mode(mode, samples, temperature),
        length=LengthOptions(overflow, context, tokenizer),
        variants=tuple(name.strip() for name in variants.split(",") if name.strip()),
        rephraser=rephraser,
    )
    judges = asks(model, prompt or [], options)
    with _console.err.status("Reading the rows and scoring the baselines"):
        bench = prepare(load(data, split=split, mapping=mapping), options)
    results, failures = _judge_all(judges, bench)
    for each in results:
        _show(each)
    if results:
        _console.note(f"Results: {escape(str(out))}/*/results.json and predictions.parquet")
    if failures:
        _fail(failures, len(judges), incomplete(results))
    check_complete(results)
    renamed = f" --map {map_}" if map_ else ""
    again = f"halubench leaderboard build {out} --data {data}{renamed} --out leaderboard-site"
    _console.note(f"Next: {escape(again)}")


def _mode(name: Mode, samples: int | None, temperature: float | None) -> ModeOptions:
    """Raises InputError for options of another mode."""
    from halubench.judges.modes import ModeOptions

    given = {"samples": samples, "temperature": temperature}
    for option, value in given.items():
        if value is not None and name != "vote":
            what = f"--{option} is of --mode vote; this is --mode {name}."
            raise InputError(what, "Add --mode vote, or leave it out.")
    usual = ModeOptions(name)
    return ModeOptions(name, samples or usual.samples, temperature or usual.temperature)


def _fail(failures: Sequence[HalubenchError], judges: int, incomplete: str) -> NoReturn:
    """Exit as one that can be run again (75) if that mends any of them, else as the first."""
    again = bool(incomplete) or any(isinstance(failure, IncompleteError) for failure in failures)
    kind = IncompleteError if again else type(failures[0])
    what = f"{len(failures)} of {judges} judges could not be scored, as said above."
    raise kind(
        f"{what} {incomplete}".strip(),
        "Mend that and run the same command again: answers are kept.",
    )


def _judge_all(
    judges: Sequence[tuple[str, EvaluateOptions]], bench: Bench
) -> tuple[list[Results], list[HalubenchError]]:
    """One judge after the other; of several, one that fails is told of and keeps none from its turn."""
    results: list[Results] = []
    failures: list[HalubenchError] = []
    for uri, options in judges:
        try:
            results.append(_judge(uri, bench, options))
        except OutputError:
            raise
        except HalubenchError as error:
            if len(judges) == 1:
                raise
            _console.fail(error)
            failures.append(error)
    return results, failures


def _judge(uri: str, bench: Bench, options: EvaluateOptions) -> Results:
    from halubench.evaluate import evaluate_judge, folder_name, for_judge

    with _progress(folder_name(uri, options), len(for_judge(uri, bench).rows())) as tick:
        return evaluate_judge(uri, bench, options, tick)


@contextmanager
def _progress(name: str, total: int) -> Generator[Callable[[Prediction], None]]:
    """A bar with what is done, unscored and spent so far, and the time left."""
    from rich import progress

    from halubench.records import Unscored

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[state]}"),
        progress.TimeRemainingColumn(),
    )
    seen = _Seen()
    with progress.Progress(*columns, console=_console.err) as bar:
        task = bar.add_task(escape(name), total=total, state="")

        def tick(said: Prediction) -> None:
            seen.unscored += isinstance(said.verdict, Unscored)
            seen.usd += said.cost_usd or 0.0
            cost = f", ${seen.usd:.4f}" if seen.usd else ""
            bar.update(task, advance=1, state=f"{seen.unscored} unscored{cost}")

        yield tick


@dataclass(slots=True)
class _Seen:
    unscored: int = 0
    usd: float = 0.0


def _show(results: Results) -> None:
    """A judge's tables, each of which fits 80 columns."""
    _console.figures(_rates(results))
    if results.overall.pairs or results.overall.p_rows:
        _console.figures(_pairs(results))
    if results.consistency:
        _console.figures(_variants(results))
    for line in _remarks(results):
        _console.out.print(escape(line), soft_wrap=True)
    _console.out.print()


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=escape(title) or None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _rates(results: Results) -> Table:
    overall = results.overall
    columns = ("source", "n", "accuracy % [95 %]", "bal.", "P/R/F1", "unsc.")
    table = _table(results.judge.name, *columns)
    for source, scores in results.sources.items():
        table.add_row(escape(source), *_cells(scores))
    table.add_section()
    mean = _interval(results.macro_accuracy)
    table.add_row("mean of sources", "", mean, _short(results.macro_balanced_accuracy))
    table.add_row("all rows", *_cells(overall))
    scored = _interval(overall.accuracy_scored)
    table.add_row("of the scored", str(overall.n - overall.unscored), scored)
    table.add_section()
    for name, scores in results.baselines.items():
        table.add_row(name.removeprefix("baseline:"), *_cells(scores), style="dim")
    return table


def _pairs(results: Results) -> Table:
    """Pairs and probabilities, where there are any."""
    overall = results.overall
    paired = ("pairs", "both right %") if overall.pairs else ()
    table = _table("", "source", *paired, *(("AUROC", "ECE") if overall.p_rows else ()))

    def add(name: str, scores: Scores, style: str = "") -> None:
        pairs = (str(scores.pairs), _range(scores.pair_accuracy)) if overall.pairs else ()
        sure = (_unit(scores.auroc), _unit(scores.ece)) if overall.p_rows else ()
        table.add_row(escape(name), *pairs, *sure, style=style)

    for source, scores in results.sources.items():
        add(source, scores)
    table.add_section()
    add("all rows", overall)
    table.add_section()
    for name, scores in results.baselines.items():
        add(name.removeprefix("baseline:"), scores, "dim")
    return table


def _variants(results: Results) -> Table:
    columns = ("variant", "n", "same verdict %", "accuracy %", "given", "right on both %")
    table = _table("", *columns)
    for name, each in results.consistency.items():
        shares = (_range(each.same), _range(each.accuracy))
        given = _short(each.as_given)
        table.add_row(escape(name), str(each.n), *shares, given, _range(each.both_right))
    return table


def _cells(scores: Scores) -> list[str]:
    fail = (scores.fail_precision, scores.fail_recall, scores.fail_f1)
    return [
        str(scores.n),
        _interval(scores.accuracy),
        _short(scores.balanced_accuracy),
        "/".join(map(_whole, fail)),
        str(scores.unscored),
    ]


def _whole(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{100 * estimate.value:.0f}"


def _short(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{100 * estimate.value:.1f}"


def _percent(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{100 * estimate.value:.2f}"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return _percent(estimate)
    return f"{_percent(estimate)} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _range(estimate: Estimate) -> str:
    """As :func:`_interval`, with one digit."""
    if estimate.low is None or estimate.high is None:
        return _short(estimate)
    return f"{_short(estimate)} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def _unit(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–" if estimate.value is None else f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _remarks(results: Results) -> Iterator[str]:
    """What the table alone does not say."""
    yield "bal.: balanced accuracy %. P/R/F1: precision, recall and F1 % of FAIL (hallucinated)."
    if results.consistency:
        yield (
            "Variants: the rows in another form that means the same; given: accuracy on them as "
            "they are; all: right or the same under every one."
        )
    if results.overall.unscored:
        reasons = ", ".join(f"{n} × {why}" for why, n in results.unscored_reasons.items())
        yield f"{results.overall.unscored} of {results.overall.n} rows unscored: {reasons}."
    if results.judge.note:
        yield f"Note: {results.judge.note}"
    if not _better(results.overall.accuracy, results.baselines["baseline:majority"].accuracy):
        yield "This judge is not shown to be better than always giving the majority label."
    if not _better(results.overall.accuracy, results.baselines["baseline:length"].accuracy):
        yield "This judge is not shown to be better than a look at the answer's length."
    yield from (f"Warning: {warning}" for warning in results.warnings)


def _better(judge: Estimate, baseline: Estimate) -> bool:
    """Whether the judge's interval lies above the baseline's."""
    return judge.low is not None and baseline.high is not None and judge.low > baseline.high
