"""Scores judges on a dataset: rows without labels in, ``results.json`` and a table of
predictions out."""

from __future__ import annotations

import asyncio
import platform
import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from halubench import near
from halubench.dataset import content_hash
from halubench.errors import IncompleteError, InputError, OutputError
from halubench.judges import expand, open_judge
from halubench.judges.base import FittedJudge, Judge, JudgeOptions, WarningJudge
from halubench.judges.modes import ModeOptions
from halubench.judges.overflow import LengthOptions
from halubench.judges.prompted import ENDPOINT
from halubench.metrics.bootstrap import Slice, score
from halubench.metrics.rates import FAIL, PASS, UNSCORED
from halubench.models.base import EngineOptions
from halubench.records import Unscored
from halubench.results import DataInfo, Results, Scores, Usage
from halubench.run import RunFolder
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.dataset import Dataset
    from halubench.records import Example, Json, Prediction

    Tick = Callable[[Prediction], None]

BASELINES = ("baseline:majority", "baseline:length")
RESULTS, PREDICTIONS = "results.json", "predictions.parquet"


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What a user may set. ``limit``: judge a seeded sample of so many rows, passage by passage.

    ``prompt`` names a file of ``prompts/judge/`` (empty: the one of the mode); ``max_usd`` bounds what each judge may spend in
    this call; ``seed`` is of the sample and the bootstrap.
    """

    out: Path
    engine: EngineOptions = field(default_factory=EngineOptions)
    prompt: str = ""
    max_usd: float | None = None
    retries: int = 6
    seed: int = 0
    limit: int | None = None
    mode: ModeOptions = field(default_factory=ModeOptions)
    length: LengthOptions = field(default_factory=LengthOptions)


@dataclass(frozen=True, slots=True)
class Bench:
    """The rows to be judged, their passage groups, and what the baselines score on them.

    ``splits`` are those of the data before any sample was taken.
    """

    data: Dataset
    splits: tuple[str, ...]
    groups: tuple[str, ...]
    baselines: dict[str, Scores]
    warnings: tuple[str, ...]


def evaluate(
    models: str | Sequence[str],
    data: Dataset,
    options: EvaluateOptions,
    tick: Tick | None = None,
) -> list[Results]:
    """Judge every row of ``data`` by every judge; one Results each, in the order asked.

    Writes ``OUT/<judge>/results.json`` and ``OUT/<judge>/predictions.parquet``. ``tick`` sees
    each prediction as it comes. Rows that got no answer are Unscored: see :func:`check_complete`.

    Raises InputError (unknown judge, unusable file), EngineError (endpoint refuses everything),
    BudgetError (cost ceiling), OutputError.
    """
    uris = [models] if isinstance(models, str) else models
    judges = [single for uri in uris for single in expand(uri)]
    bench = prepare(data, options)
    return [evaluate_judge(uri, bench, options, tick) for uri in judges]


def prepare(data: Dataset, options: EvaluateOptions) -> Bench:
    """Sample the rows, group their passages and score the baselines, once for all judges."""
    groups = near.groups([example.passage for example in data.examples])
    splits = _splits(data)
    warnings: list[str] = []
    if options.limit is not None and options.limit < len(data.examples):
        keep = _sample(groups, options.limit, options.seed)
        warnings.append(
            f"Only {len(keep)} of {len(data.examples)} rows were judged: a sample of whole passages "
            f"(the last may be cut), seed {options.seed}."
        )
        data = _only(data, keep)
        groups = [groups[index] for index in keep]
    baselines = {uri: _baseline(uri, data.examples, groups, options.seed) for uri in BASELINES}
    return Bench(data, tuple(splits), tuple(groups), baselines, tuple(warnings))


def evaluate_judge(
    uri: str, bench: Bench, options: EvaluateOptions, tick: Tick | None = None
) -> Results:
    """Judge the rows of ``bench`` by one judge and write its folder; see :func:`evaluate`."""
    path = options.out / slug(uri)
    judge = open_judge(uri, _judge_options(options, path))
    info = judge.info()
    ask: dict[str, Json] = {
        "command": "evaluate",
        "judge": uri,
        "prompt": info.prompt_hash,
        "mode": asdict(options.mode),
        "length": asdict(options.length),
        "data": bench.data.ref,
        "splits": list(bench.splits),
    }
    with RunFolder.open(path, ask) as folder:
        predictions = _predict(judge, bench, tick)
        scored = score(_slices(bench.data.examples, bench.groups, predictions), options.seed)
        results = Results(
            judge=info,
            data=_data_info(bench.data),
            overall=scored.overall,
            macro_accuracy=scored.macro_accuracy,
            macro_balanced_accuracy=scored.macro_balanced_accuracy,
            sources=scored.sources,
            baselines=bench.baselines,
            unscored_reasons=_unscored_reasons(predictions),
            usage=_usage(predictions),
            versions=_versions(),
            warnings=[*bench.warnings, *_judge_warnings(judge)],
        )
        _write_predictions(path / PREDICTIONS, bench.data.examples, predictions)
        folder.write_json(RESULTS, results.model_dump(mode="json"))
    return results


def unanswered(results: Results) -> int:
    """Rows that are unscored because the endpoint gave no answer, not because of its text."""
    return sum(
        count for reason, count in results.unscored_reasons.items() if reason.startswith(ENDPOINT)
    )


def check_complete(results: Sequence[Results]) -> None:
    """Raise IncompleteError where rows got no answer; the results are written all the same."""
    missing = sum(map(unanswered, results))
    if missing:
        raise IncompleteError(
            f"{missing} of {sum(each.data.rows for each in results)} rows got no answer from the "
            "endpoint and count as unscored.",
            "Run the same command again to ask only for those; results.json counts the reasons.",
        )


def slug(uri: str) -> str:
    """The folder name of a judge; a local path in it is known by its last part."""
    scheme, _, spec = uri.partition(":")
    path = Path(spec.partition("#")[0])
    short = spec[len(str(path.parent)) :] if path.parent.name and path.exists() else spec
    name = re.sub(r"[^A-Za-z0-9._]+", "-", f"{scheme}-{short}").strip("-.")
    return name if len(name) <= 100 else f"{name[:90]}-{digest(uri)[:8]}"


def _sample(groups: Sequence[str], limit: int, seed: int) -> list[int]:
    if limit < 1:
        raise InputError(f"A limit of {limit} leaves no row to judge.", "Give --limit 1 or more.")
    shuffled = sorted(range(len(groups)), key=lambda i: (digest(str(seed), groups[i]), i))
    return sorted(shuffled[:limit])


def _only(data: Dataset, keep: Sequence[int]) -> Dataset:
    examples = tuple(data.examples[index] for index in keep)
    name = f"{data.name}, sample of {len(examples)} rows"
    return replace(data, name=name, examples=examples, sha256=content_hash(examples))


def _baseline(uri: str, examples: Sequence[Example], groups: Sequence[str], seed: int) -> Scores:
    from halubench.judges.baseline import BaselineJudge

    judge = BaselineJudge(uri.partition(":")[2])
    judge.fit(examples, groups)
    predictions = asyncio.run(_collect(judge, examples, None))
    return score(_slices(examples, groups, predictions), seed).overall


def _judge_options(options: EvaluateOptions, folder: Path) -> JudgeOptions:
    return JudgeOptions(
        engine=options.engine,
        folder=folder,
        prompt=options.prompt,
        max_usd=options.max_usd,
        retries=options.retries,
        mode=options.mode,
        length=options.length,
    )


def _predict(judge: Judge, bench: Bench, tick: Tick | None) -> list[Prediction]:
    if isinstance(judge, FittedJudge):
        judge.fit(bench.data.examples, bench.groups)
    return asyncio.run(_collect(judge, bench.data.examples, tick))


async def _collect(
    judge: Judge, examples: Sequence[Example], tick: Tick | None
) -> list[Prediction]:
    predictions: list[Prediction] = []
    async for prediction in judge.predict([example.blind() for example in examples]):
        predictions.append(prediction)
        if tick is not None:
            tick(prediction)
    return predictions


def _slices(
    examples: Sequence[Example], groups: Sequence[str], predictions: Sequence[Prediction]
) -> dict[str, Slice]:
    rows: defaultdict[str, list[tuple[int, int, float, str]]] = defaultdict(list)
    for example, group, said in zip(examples, groups, predictions, strict=True):
        p_fail = np.nan if said.p_fail is None else said.p_fail
        label = PASS if example.label == "PASS" else FAIL
        rows[example.source_ds].append((label, _code(said), p_fail, group))
    slices: dict[str, Slice] = {}
    for source, parts in rows.items():
        labels, verdicts, p_fails, clusters = zip(*parts, strict=True)
        slices[source] = Slice(
            np.array(labels), np.array(verdicts), np.array(p_fails), np.array(clusters)
        )
    return slices


def _code(said: Prediction) -> int:
    if isinstance(said.verdict, Unscored):
        return UNSCORED
    return PASS if said.verdict == "PASS" else FAIL


def _unanswered(said: Prediction) -> bool:
    return isinstance(said.verdict, Unscored) and said.verdict.reason.startswith(ENDPOINT)


def _unscored_reasons(predictions: Sequence[Prediction]) -> dict[str, int]:
    reasons = Counter(
        said.verdict.reason for said in predictions if isinstance(said.verdict, Unscored)
    )
    return dict(sorted(reasons.items()))


def _usage(predictions: Sequence[Prediction]) -> Usage:
    costs = [said.cost_usd for said in predictions if said.attempts and not _unanswered(said)]
    latencies = [said.latency_s for said in predictions if said.latency_s > 0]
    p50, p95 = np.percentile(latencies, [50, 95]).tolist() if latencies else (None, None)
    known = [cost for cost in costs if cost is not None]
    return Usage(
        prompt_tokens=sum(said.prompt_tokens for said in predictions),
        completion_tokens=sum(said.completion_tokens for said in predictions),
        cost_usd=sum(known) if known and len(known) == len(costs) else None,
        latency_p50=p50,
        latency_p95=p95,
    )


def _data_info(data: Dataset) -> DataInfo:
    return DataInfo(
        name=data.name,
        ref=data.ref,
        sha256=data.sha256,
        rows=len(data.examples),
        splits=_splits(data),
    )


def _splits(data: Dataset) -> list[str]:
    return sorted({data.splits[example.id] for example in data.examples})


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("halubench", "numpy", "scikit-learn")}
    return {**found, "python": platform.python_version()}


def _judge_warnings(judge: Judge) -> list[str]:
    return judge.warnings() if isinstance(judge, WarningJudge) else []


def _write_predictions(
    path: Path, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> None:
    rows = [
        _prediction_row(example, said) for example, said in zip(examples, predictions, strict=True)
    ]
    temporary = path.with_name(f".{path.name}")
    try:
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Make room or give another --out; what was answered is kept.",
        ) from error


_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source_ds", pa.string()),
        ("label", pa.string()),
        ("verdict", pa.string()),
        ("unscored_reason", pa.string()),
        ("p_fail", pa.float64()),
        ("reasoning", pa.string()),
        ("raw", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("cost_usd", pa.float64()),
        ("latency_s", pa.float64()),
        ("attempts", pa.int64()),
        ("mass", pa.float64()),
        ("overflow", pa.string()),
    ]
)


def _prediction_row(example: Example, said: Prediction) -> dict[str, Json]:
    return {
        "id": example.id,
        "source_ds": example.source_ds,
        "label": example.label,
        "verdict": None if isinstance(said.verdict, Unscored) else said.verdict,
        "unscored_reason": said.verdict.reason if isinstance(said.verdict, Unscored) else None,
        "p_fail": said.p_fail,
        "reasoning": _utf8(said.reasoning),
        "raw": _utf8(said.raw),
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "cost_usd": said.cost_usd,
        "latency_s": said.latency_s,
        "attempts": said.attempts,
        "mass": said.mass,
        "overflow": said.overflow,
    }


def _utf8(text: str) -> str:
    """A lone surrogate, which a model can answer, as its escape: parquet cannot hold it."""
    return text.encode("utf-8", "backslashreplace").decode()
