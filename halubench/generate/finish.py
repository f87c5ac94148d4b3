"""The last stages: assemble and split, write, audit, manifest and card."""

from __future__ import annotations

import platform
from collections import Counter
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from halubench import assemble, audit, dataset
from halubench.audit import page
from halubench.errors import IncompleteError, InputError
from halubench.generate import card, write
from halubench.generate.ask import RULES, Outcome, Tick
from halubench.generate.ledger import kind
from halubench.perturb.definitions import for_model, load_all
from halubench.prompt import load_prompt
from halubench.verify.ballot import by_hardness, fleiss_kappa
from halubench.verify.juror import wordings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from halubench.audit import AuditReport
    from halubench.dataset import Dataset
    from halubench.generate.ask import Ask
    from halubench.generate.court import Court
    from halubench.generate.job import Job, Made, Prepared
    from halubench.records import Candidate, Json

FORMAT = "halubench/manifest/1"
_LIBRARIES = ("halubench", "numpy", "pyarrow", "scikit-learn", "num2words")


def finish(job: Job, prepared: Prepared, made: Made, court: Court) -> Outcome:
    """Write the dataset, audit what was written, and say what there is.

    Raises InputError when no pair could be made, IncompleteError when that is for want of answers.
    """
    folder, ledger = job.folder, prepared.ledger
    write.rejected(folder, ledger.rejected)
    kept = made.selection.kept
    if not kept:
        _nothing(prepared, _unanswered(made, court))
    job.progress(Tick("assemble", 0, len(kept)))
    _assemble(job, prepared, kept, court)
    data = dataset.load(str(folder.path))
    report = _audit(job, data)
    warnings = (*_warnings(job, prepared, made, report), *_empty_splits(job.ask, data))
    manifest = _manifest(job, prepared, (made, court), (data, report, warnings))
    folder.write_json("manifest.json", manifest)
    folder.write_text("README.md", card.render(manifest, data, report))
    return Outcome(
        out=folder.path,
        asked=job.ask.accept,
        pairs=len(kept),
        rows=len(data.examples),
        ledger=ledger,
        audit=report,
        warnings=warnings,
        cost_usd=job.purse.total,
        spent_usd=job.purse.spent,
        notes=tuple(made.notes),
        incomplete=_incomplete(job, made, court, len(kept)),
    )


def _assemble(job: Job, prepared: Prepared, kept: Sequence[Candidate], court: Court) -> None:
    examples, provenance = assemble.examples(
        kept,
        seed=job.ask.seed,
        splits=dict(job.ask.splits),
        groups=prepared.groups,
        votes=court.votes(kept),
    )
    dataset.write(job.folder.path, examples, provenance)


def _nothing(prepared: Prepared, unanswered: str) -> None:
    rows, why = prepared.ledger.rows(), _reasons(prepared)
    if unanswered:
        raise IncompleteError(f"No pair was made of {rows} rows: {unanswered}", _AGAIN)
    raise InputError(
        f"No pair could be made of {rows} rows: {why}.", "Look into rejected.jsonl and stages/."
    )


_AGAIN = "Run the same command again: only what has no answer is asked again."


def _reasons(prepared: Prepared) -> str:
    top = prepared.ledger.top_reasons()
    return "; ".join(f"{reason} ({count:,})" for reason, count in top) or "the source is empty"


def _audit(job: Job, data: Dataset) -> AuditReport:
    against = {ref: dataset.load(ref).examples for ref in job.ask.exclude}
    report = audit.audit_examples(
        data.examples,
        provenance=data.provenance,
        splits=data.splits,
        against=against,
        seed=job.ask.seed,
        progress=partial(_tick, job),
    )
    report = report.model_copy(update={"name": job.folder.path.name, "sha256": data.sha256})
    page.write(report, data.examples, job.folder.path / "audit")
    return report


def _tick(job: Job, probe: str, done: float, whole: float) -> None:
    job.progress(Tick("audit", round(done), round(whole), probe))


def _incomplete(job: Job, made: Made, court: Court, pairs: int) -> str:
    enough = job.ask.accept is not None and pairs >= job.ask.accept
    return "" if enough else _unanswered(made, court)


def _unanswered(made: Made, court: Court) -> str:
    """How many requests got no answer and why, as a sentence; empty when all did."""
    reasons = made.pool.unanswered + court.unanswered()
    told = ", ".join(f"{count:,} × {why}" for why, count in reasons.most_common(3))
    return f"{reasons.total():,} requests got no answer ({told})." if reasons else ""


def _warnings(job: Job, prepared: Prepared, made: Made, report: AuditReport) -> list[str]:
    ask = job.ask
    pairs = len(made.selection.kept)
    found: list[str] = []
    if ask.accept is not None and pairs < ask.accept:
        found.append(f"Asked {ask.accept:,}, honest yield {pairs:,}: {_reasons(prepared)}.")
    return [*found, *unheld(report), *caveats(ask), *made.notes]


def caveats(ask: Ask) -> list[str]:
    """What the way in which a dataset was asked for leaves open, a sentence each."""
    found: list[str] = []
    if ask.control == "none":
        found.append("Bare gold answers (--control none): length and form may tell the label.")
    if not ask.jury:
        found.append("No jury has read these pairs: labels rest on the checks by code alone.")
    unread = sorted(set(load_all()) - set(for_model(read=bool(ask.jury))))
    if unread and ask.model != RULES:
        found.append(f"Not made, since only a jury can check it: {', '.join(unread)}.")
    if ask.model.startswith("embedded:"):
        found.append(
            f"{ask.model} is a very small model: it proves that everything runs, not that the "
            "dataset is good."
        )
    return found


def _empty_splits(ask: Ask, data: Dataset) -> Iterator[str]:
    empty = sorted({name for name, share in ask.splits if share} - set(data.splits.values()))
    if empty:
        yield (
            f"No row fell into {', '.join(empty)}: a split is drawn by the hash of the passage, and "
            "there are few passages."
        )


def unheld(report: AuditReport) -> Iterator[str]:
    """One sentence for each gate that does not hold, and one for those that are undecided."""
    for gate in report.failed:
        measured = "not measured" if gate.value is None else f"{gate.value:.3g}"
        yield f"Gate {gate.name} ({gate.scope}) does not hold: {measured}, allowed is {gate.limit}."
    undecided = sum(gate.status == "undecided" for gate in report.gates)
    if undecided:
        yield f"{undecided} of {len(report.gates)} gates are undecided for want of rows; the audit names them."


def _manifest(
    job: Job,
    prepared: Prepared,
    work: tuple[Made, Court],
    result: tuple[Dataset, AuditReport, Sequence[str]],
) -> dict[str, Json]:
    (made, court), (data, report, warnings) = work, result
    kept = made.selection.kept
    return {
        "format": FORMAT,
        "asked": job.ask.asked(),
        "versions": versions(),
        "data": {
            "sha256": data.sha256,
            "rows": len(data.examples),
            "pairs": len(kept),
            "splits": _count(data.splits.values()),
        },
        "sources": _sources(job, prepared, kept),
        "licenses": _count(str(one.item.meta.get("license")) for one in kept),
        "stages": [stage.json() for stage in prepared.ledger.stages],
        "candidates": _candidates(made),
        "perturbations": _perturbations(kept),
        "prompt": _prompt(job),
        "jury": _jury(job.ask, court),
        "rounds": [one.json() for one in made.rounds],
        "cost": job.purse.json(),
        "gates": [gate.model_dump(mode="json") for gate in report.gates],
        "warnings": list(warnings),
    }


def _sources(job: Job, prepared: Prepared, kept: Sequence[Candidate]) -> list[Json]:
    ids = {one.item.id for one in kept}
    return [
        {
            "ref": ref,
            "name": read.name,
            "home": read.home,
            "license": read.license,
            "domain": read.domain,
            "rows": read.rows,
            "items": len(read.items),
            "pairs": sum(item.id in ids for item in read.items),
        }
        for ref, read in zip(job.ask.sources, prepared.reads, strict=True)
    ]


def _count(values: Iterable[str]) -> dict[str, Json]:
    return dict(sorted(Counter(values).items()))


def _candidates(made: Made) -> dict[str, Json]:
    """Candidates that reached the gate: ``proposed = passed + the sum of refused``; and the model's
    answers that made none."""
    reasons: Counter[str] = Counter()
    for reason, count in made.pool.verdicts.items():
        reasons[kind(reason)] += count
    passed = reasons.pop("", 0)
    proposed = passed + reasons.total()
    return {
        "proposed": proposed,
        "passed": passed,
        "refused": dict(sorted(reasons.items())),
        "unusable_answers": dict(sorted(made.pool.misread.items())),
    }


def _perturbations(kept: Sequence[Candidate]) -> dict[str, Json]:
    known = load_all()
    used = _count(one.perturbation for one in kept)
    return {name: {"pairs": used[name], "hash": known[name].hash} for name in used}


def _prompt(job: Job) -> Json:
    if job.ask.model == RULES:
        return None
    return {"name": job.ask.prompt, "hash": load_prompt("perturb", job.ask.prompt).hash}


def _jury(ask: Ask, court: Court) -> dict[str, Json]:
    ballots = list(court.ballots.values())
    refusals = Counter(ballot.refusal() or "agreed" for ballot in ballots)
    return {
        "jurors": list(ask.jury),
        "pairs": len(ballots),
        "verdicts": dict(sorted(refusals.items())),
        "second_pass": sum(bool(ballot.first) for ballot in ballots),
        "proven_by_code": sum(ballot.proven for ballot in ballots),
        "hardness": [*by_hardness(ballots)],
        "fleiss_kappa": fleiss_kappa(ballots),
        "wordings": {one.path.stem: one.hash for one in wordings()} if ask.jury else {},
    }


def versions() -> dict[str, Json]:
    """Of Python and of the libraries that decide the bytes."""
    found: dict[str, Json] = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
