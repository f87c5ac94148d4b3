"""Scores judges on a dataset: rows without labels in, ``results.json`` and a table of
predictions out."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from halubench import near, predictions
from halubench.dataset import content_hash
from halubench.errors import IncompleteError, InputError
from halubench.floors import FLOORS, Labelled, floor
from halubench.judges import expand, is_prompted, open_judge
from halubench.judges.base import FittedJudge, Judge, JudgeOptions, WarningJudge
from halubench.judges.modes import ModeOptions, open_mode
from halubench.judges.overflow import LengthOptions
from halubench.metrics.bootstrap import RESAMPLES
from halubench.metrics.consistency import ALL
from halubench.metrics.summary import figures
from halubench.models.base import EngineOptions
from halubench.predictions import PREDICTIONS, RESULTS, Judged
from halubench.reading import HubId, resolve
from halubench.records import ENDPOINT
from halubench.results import DataInfo, Results, Scores, Speed
from halubench.run import RunFolder
from halubench.text import digest, pair_key
from halubench.variants import unvaried, vary
from halubench.variants.base import Unvaried, VariantOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.dataset import Dataset
    from halubench.records import Example, Json, Prediction, Row
    from halubench.variants.base import Varied

    Tick = Callable[[Prediction], None]

ASIDE = ("baseline", "recorded")
"""Judges that never read a row in another form."""
SPEED = "speed.json"


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What a user may set. ``limit``: judge a seeded sample of so many rows, passage by passage.

    ``prompt`` names a file of ``prompts/judge/`` (empty: the one of the mode); ``max_usd`` bounds what each judge may spend in
    this call; ``seed`` is of the sample, the variants and the bootstrap. ``variants`` names modules
    of ``halubench/variants``: every row is judged in these forms as well; ``rephraser`` is the model
    of those that need one.
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
    variants: tuple[str, ...] = ()
    rephraser: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """The rows to be judged, their passage groups, and what the baselines score on them.

    ``splits`` are those of the data before any sample was taken; ``variants`` holds every row once
    more under each variant.
    """

    data: Dataset
    splits: tuple[str, ...]
    groups: tuple[str, ...]
    baselines: dict[str, Scores]
    warnings: tuple[str, ...]
    variants: dict[str, list[Varied]] = field(default_factory=dict[str, "list[Varied]"])

    def rows(self) -> list[Row]:
        """What a judge is given: every row, and then those that were varied, by variant."""
        varied = (row for rows in self.variants.values() for row in rows)
        given = [example.blind() for example in self.data.examples]
        return [*given, *(row for row in varied if not isinstance(row, Unvaried))]


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


def asks(
    uris: Sequence[str], prompts: Sequence[str], options: EvaluateOptions
) -> list[tuple[str, EvaluateOptions]]:
    """Every judge of ``uris`` under every prompt (none: the one of the mode), each once: what is
    no model behind a prompt, or is asked by two names of one prompt, is one judge.

    Raises InputError for an unknown scheme.
    """
    judges = [single for uri in uris for single in expand(uri)]
    under = [replace(options, prompt=prompt) for prompt in prompts or [options.prompt]]
    found: dict[tuple[str, str], tuple[str, EvaluateOptions]] = {}
    for uri in judges:
        for each in under:
            found.setdefault((uri, folder_name(uri, each)), (uri, each))
    return list(found.values())


def for_judge(uri: str, bench: Bench) -> Bench:
    """The bench without variants for a judge that does not read rows (:data:`ASIDE`)."""
    if not bench.variants or uri.partition(":")[0] not in ASIDE:
        return bench
    said = "Variants were not judged: this judge does not read the rows."
    return replace(bench, variants={}, warnings=(*bench.warnings, said))


def prepare(data: Dataset, options: EvaluateOptions) -> Bench:
    """Sample the rows, vary them, group their passages and score the baselines, once for all
    judges. Raises what :func:`halubench.variants.vary` raises."""
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
    pairs = tuple(_pair(data, example) for example in data.examples)
    labelled = Labelled(data.examples, tuple(groups), pairs)
    baselines = {name: floor(name, labelled, options.seed) for name in FLOORS}
    bench = Bench(data, tuple(splits), tuple(groups), baselines, tuple(warnings))
    varied = vary(options.variants, bench.rows(), _variant_options(options))
    return replace(bench, variants=varied)


def evaluate_judge(
    uri: str, bench: Bench, options: EvaluateOptions, tick: Tick | None = None
) -> Results:
    """Judge the rows of ``bench`` by one judge and write its folder; see :func:`evaluate`."""
    path = options.out / folder_name(uri, options)
    bench = for_judge(uri, bench)
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
        said, speed = _timed(folder, judge, bench, tick)
        judged = predictions.table(_judged(bench, said))
        results = Results(
            **dict(figures(judged, options.seed)),
            judge=info,
            data=_data_info(bench.data),
            baselines=bench.baselines,
            seed=options.seed,
            resamples=RESAMPLES,
            speed=speed,
            versions=_versions(),
            hardware=_hardware(),
            warnings=[*bench.warnings, *unvaried(bench.variants), *_judge_warnings(judge)],
        )
        predictions.write(path / PREDICTIONS, judged)
        folder.write_json(RESULTS, results.model_dump(mode="json"))
    return results


def unanswered(results: Results) -> int:
    """Rows, varied ones among them, that are unscored because the endpoint gave no answer, not
    because of its text."""
    told = [results.unscored_reasons, *(v.unscored_reasons for v in results.consistency.values())]
    return sum(
        count
        for reasons in told
        for reason, count in reasons.items()
        if reason.startswith(ENDPOINT)
    )


def check_complete(results: Sequence[Results]) -> None:
    """Raise IncompleteError where rows got no answer; the results are written all the same."""
    if told := incomplete(results):
        remedy = "Run the same command again to ask only for those; results.json has the reasons."
        raise IncompleteError(told, remedy)


def incomplete(results: Sequence[Results]) -> str:
    """How many rows got no answer, as a sentence; empty when all did."""
    missing, asked = sum(map(unanswered, results)), sum(map(_asked, results))
    told = f"{missing} of {asked} rows got no answer from the endpoint and count as unscored."
    return told if missing else ""


def _asked(results: Results) -> int:
    varied = (each.n for name, each in results.consistency.items() if name != ALL)
    return results.data.rows + sum(varied)


def slug(uri: str) -> str:
    """The folder name of a judge; a local path in it is known by its last part."""
    scheme, _, spec = uri.partition(":")
    path = Path(spec.partition("#")[0])
    short = spec[len(str(path.parent)) :] if path.parent.name and path.exists() else spec
    name = re.sub(r"[^A-Za-z0-9._]+", "-", f"{scheme}-{short}").strip("-.")
    return name if len(name) <= 100 else f"{name[:90]}-{digest(uri)[:8]}"


def folder_name(uri: str, options: EvaluateOptions) -> str:
    """The folder of a judge's results: its :func:`slug`, mode and prompt where not the usual."""
    if not is_prompted(uri):
        return slug(uri)
    mode, prompt = options.mode.name, options.prompt
    usual = {"", open_mode(options.mode).prompt}
    told = [mode] * (mode != "reason") + [slug(prompt)] * (prompt not in usual)
    return "-".join([slug(uri), *told])


def _sample(groups: Sequence[str], limit: int, seed: int) -> list[int]:
    if limit < 1:
        raise InputError(f"A limit of {limit} leaves no row to judge.", "Give --limit 1 or more.")
    shuffled = sorted(range(len(groups)), key=lambda i: (digest(str(seed), groups[i]), i))
    return sorted(shuffled[:limit])


def _only(data: Dataset, keep: Sequence[int]) -> Dataset:
    examples = tuple(data.examples[index] for index in keep)
    name = f"{data.name}, sample of {len(examples)} rows"
    return replace(data, name=name, examples=examples, sha256=content_hash(examples))


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


def _variant_options(options: EvaluateOptions) -> VariantOptions:
    return VariantOptions(
        out=options.out,
        seed=options.seed,
        rephraser=options.rephraser,
        engine=options.engine,
        retries=options.retries,
        max_usd=options.max_usd,
    )


def _timed(
    folder: RunFolder, judge: Judge, bench: Bench, tick: Tick | None
) -> tuple[list[Prediction], Speed | None]:
    """The predictions, and the speed over all sittings that ended; kept in ``speed.json``.

    A sitting in which the journal had every answer does not count.
    """
    held, start = len(folder.journal), time.monotonic()
    said = _predict(judge, bench, tick)
    seconds = time.monotonic() - start
    path = folder.path / SPEED
    earlier = Speed.model_validate_json(path.read_bytes()) if path.exists() else None
    asked = len(folder.journal) - held
    rows = min(asked or (0 if held else len(said)), len(said))
    if not rows or (earlier and not asked):
        return said, earlier
    speed = _speed(rows, seconds, earlier)
    folder.write_json(SPEED, speed.model_dump())
    return said, speed


def _speed(rows: int, seconds: float, earlier: Speed | None) -> Speed:
    if earlier:
        rows, seconds = rows + earlier.rows, seconds + earlier.seconds
    return Speed(rows=rows, seconds=seconds, rows_per_s=rows / max(seconds, 1e-9))


def _predict(judge: Judge, bench: Bench, tick: Tick | None) -> list[Prediction]:
    if isinstance(judge, FittedJudge):
        judge.fit(bench.data.examples, bench.groups)
    return asyncio.run(_collect(judge, bench.rows(), tick))


async def _collect(judge: Judge, rows: Sequence[Row], tick: Tick | None) -> list[Prediction]:
    predictions: list[Prediction] = []
    async for prediction in judge.predict(rows):
        predictions.append(prediction)
        if tick is not None:
            tick(prediction)
    return predictions


def _judged(bench: Bench, said: Sequence[Prediction]) -> list[Judged]:
    """Each row with what was said of it and of its variants, which came in that order."""
    answers = iter(said)
    given = [next(answers) for _ in bench.data.examples]
    varied: list[dict[str, Prediction]] = [{} for _ in given]
    for name, rows in bench.variants.items():
        for place, row in enumerate(rows):
            if not isinstance(row, Unvaried):
                varied[place][name] = next(answers)
    known = zip(bench.data.examples, bench.groups, given, strict=True)
    judged = [_row(bench.data, example, group, one) for example, group, one in known]
    return [replace(row, variants=forms) for row, forms in zip(judged, varied, strict=True)]


def _row(data: Dataset, example: Example, group: str, said: Prediction) -> Judged:
    origin = data.provenance.get(example.id)
    return Judged(
        source_ds=example.source_ds,
        label=example.label,
        group=group,
        pair_id=_pair(data, example),
        domain=origin.domain if origin else "",
        perturbation=origin.perturbation if origin else "",
        level=origin.level if origin else "",
        said=said,
    )


def _pair(data: Dataset, example: Example) -> str:
    """Without provenance, answers to one question on one passage are taken for a pair."""
    origin = data.provenance.get(example.id)
    made = pair_key(example.source_ds, example.passage, example.question)
    return origin.pair_id if origin else made


def _data_info(data: Dataset) -> DataInfo:
    place = resolve(data.ref) if data.ref else None
    return DataInfo(
        name=data.name,
        ref=data.ref,
        sha256=data.sha256,
        rows=len(data.examples),
        splits=_splits(data),
        revision=(place.revision or "") if isinstance(place, HubId) else "",
    )


def _splits(data: Dataset) -> list[str]:
    return sorted({data.splits[example.id] for example in data.examples})


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("halubench", "numpy", "scipy")}
    return {**found, "python": platform.python_version()}


def _hardware() -> dict[str, str]:
    """The machine that ran the job; its GPU is looked for only where an engine has loaded torch."""
    found = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or "unknown"),
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["gpu"] = f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return found


def _judge_warnings(judge: Judge) -> list[str]:
    return judge.warnings() if isinstance(judge, WarningJudge) else []
