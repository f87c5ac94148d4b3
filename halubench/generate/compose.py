"""A recipe's benchmark: every part made or imported by itself, then put together and audited.

Each part has its run folder in ``parts/``, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from halubench import audit, dataset
from halubench.assemble import split_of
from halubench.audit import page
from halubench.errors import InputError
from halubench.generate import card
from halubench.generate.ask import Ask, Outcome, Progress, Tick, silent
from halubench.generate.finish import FORMAT, caveats, unheld, versions
from halubench.generate.flow import generate
from halubench.generate.joined import joined
from halubench.generate.ledger import Ledger, Stage
from halubench.generate.pins import pinned, unpinned
from halubench.generate.upstream import draw, gold, rows_of
from halubench.records import LABELS, Provenance
from halubench.run import RunFolder
from halubench.text import digest, passage_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from halubench.audit import AuditReport
    from halubench.dataset import Dataset
    from halubench.generate.recipe import Part, Recipe
    from halubench.records import Example, Json

GOLD = "gold"
"""Where a run keeps the gold rows that it wrote for its parts."""
NATIVE = "native"
"""The perturbation, relation and generator of rows that come with their own labels."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of one part. ``file`` stood in for the Hub; ``outcome`` is None for imported rows,
    of which so many were ``read``."""

    part: Part
    file: str | None
    rows: list[Example]
    origins: dict[str, Provenance]
    outcome: Outcome | None = None
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    read: int = 0


def compose(
    recipe: Recipe, ask: Ask, files: Mapping[str, str], progress: Progress = silent
) -> Outcome:
    """Make the benchmark of a recipe.

    Args:
        recipe: the composition.
        ask: model, jury, limits and folder; its sources, size and splits are the recipe's.
        files: local files that stand in for the Hub, by the name of a part.
        progress: told of each step, the part's name and a colon before the stage.

    All sources are read before anything is made. A Hub dataset is read at one commit, and a run that
    goes on reads the same. Raises InputError for a name that is no part, else as
    :func:`halubench.generate.flow.generate`.
    """
    check_files(recipe, files)
    claim: dict[str, Json] = {**_asked(recipe, ask), "source_files": dict(files)}
    with RunFolder.open(ask.out, claim) as folder:
        exact = pinned(recipe, files, folder)
        made = list(_parts(exact, ask, files, progress))
        rows = [row for one in made for row in one.rows]
        origins = {name: origin for one in made for name, origin in one.origins.items()}
        rows.sort(key=lambda row: digest(str(ask.seed), row.id))
        dataset.write(folder.path, rows, origins)
        data = dataset.load(str(folder.path))
        report = _audit(data, folder, ask, progress)
        manifest = _manifest(exact, ask, made, data, report)
        manifest["warnings"] += unpinned(recipe, exact, files)
        folder.write_json("manifest.json", manifest)
        folder.write_text("README.md", card.render(manifest, data, report))
        return _outcome(ask, made, manifest, report)


def check_files(recipe: Recipe, files: Mapping[str, str]) -> None:
    """Raise InputError for a file that stands in for no part."""
    known = [part.name for part in recipe.parts]
    for name in files:
        if name not in known:
            what = f"--source-file {name} is no part of {recipe.name}."
            raise InputError(what, f"Its parts: {', '.join(known)}.")


def part_ask(part: Part, recipe: Recipe, ask: Ask, source: str) -> Ask:
    """What is asked of ``generate`` for one part, made of ``source``."""
    return replace(
        ask,
        sources=(source,),
        out=ask.out / "parts" / part.name,
        accept=min(part.passed, part.failed),
        control=recipe.control,
        temperature=ask.temperature if ask.temperature is not None else recipe.temperature,
        splits=tuple(recipe.splits.items()),
    )


def _parts(
    recipe: Recipe, ask: Ask, files: Mapping[str, str], progress: Progress
) -> Iterator[_Made]:
    imported: dict[str, _Made] = {}
    sources: dict[str, str] = {}
    try:
        for part in recipe.parts:
            progress(Tick(f"{part.source_ds}: read", 0, 0))
            if part.how == "import":
                imported[part.name] = _imported(part, recipe, ask, files.get(part.name))
            else:
                sources[part.name] = gold(part, files.get(part.name), ask.out / GOLD)
    except InputError:
        rmtree(ask.out / GOLD, ignore_errors=True)  # The folder stays free for what is put right.
        raise
    left = ask.max_usd
    for part in recipe.parts:
        if part.name in imported:
            yield imported[part.name]
            continue
        mine = replace(part_ask(part, recipe, ask, sources[part.name]), max_usd=left)
        outcome = generate(mine, partial(_named, progress, part.source_ds))
        left = None if left is None else max(0.0, left - outcome.spent_usd)
        yield _generated(part, files.get(part.name), outcome)


def _named(progress: Progress, name: str, tick: Tick) -> None:
    progress(replace(tick, stage=f"{name}: {tick.stage}"))


def _imported(part: Part, recipe: Recipe, ask: Ask, file: str | None) -> _Made:
    read = list(rows_of(part, file))
    rows = draw(part, read, ask.seed)
    origins = {row.id: _native(part, row, recipe, ask.seed) for row in rows}
    return _Made(part, file, rows, origins, read=len(read))


def _generated(part: Part, file: str | None, outcome: Outcome) -> _Made:
    data = dataset.load(str(outcome.out))
    rows = [replace(row, source_ds=part.source_ds) for row in data.examples]
    manifest = json.loads((outcome.out / "manifest.json").read_text("utf-8"))
    return _Made(part, file, rows, dict(data.provenance), outcome, manifest)


def _native(part: Part, row: Example, recipe: Recipe, seed: int) -> Provenance:
    group = passage_key(row.passage)
    return Provenance(
        id=row.id, pair_id=row.id, item_id=row.id, group=group,
        split=split_of(group, recipe.splits), domain="general", perturbation=NATIVE, relation=NATIVE,
        level="", edit_old="", edit_new="", change_made="", evidence="", base="", generator=NATIVE,
        prompt_hash="", seed=seed, votes="", hardness=0.0, license=part.license,
    )  # fmt: skip


def _audit(data: Dataset, folder: RunFolder, ask: Ask, progress: Progress) -> AuditReport:
    def tell(probe: str, done: float, whole: float) -> None:
        progress(Tick("audit", round(done), round(whole), probe))

    made = {name: one for name, one in data.provenance.items() if one.perturbation != NATIVE}
    report = audit.audit_examples(
        data.examples, provenance=made, splits=data.splits, seed=ask.seed, progress=tell
    )
    report = report.model_copy(update={"name": folder.path.name, "sha256": data.sha256})
    page.write(report, data.examples, folder.path / "audit")
    return report


def _asked(recipe: Recipe, ask: Ask) -> dict[str, Json]:
    own = ("sources", "accept", "splits", "control", "mapping")
    asked = {name: value for name, value in ask.asked().items() if name not in own}
    return {**asked, "recipe": recipe.name, "control": recipe.control}


def _manifest(
    recipe: Recipe, ask: Ask, made: Sequence[_Made], data: Dataset, report: AuditReport
) -> dict[str, Any]:
    manifests = [one.manifest for one in made if one.manifest]
    return {
        "format": FORMAT,
        "recipe": {
            "name": recipe.name,
            "title": recipe.title,
            "about": recipe.about,
            "parts": [_composition(one) for one in made],
        },
        "asked": _asked(recipe, ask),
        "versions": versions(),
        "data": {
            "sha256": data.sha256,
            "rows": len(data.examples),
            "pairs": sum(manifest["data"]["pairs"] for manifest in manifests),
            "splits": dict(sorted(Counter(data.splits.values()).items())),
        },
        "sources": [source for one in made for source in _sources(one)],
        "licenses": dict(sorted(Counter(one.license for one in data.provenance.values()).items())),
        "prompt": manifests[0]["prompt"] if manifests else None,
        "rounds": [
            {**told, "source": one.part.source_ds}
            for one in made
            for told in one.manifest.get("rounds", ())
        ],
        **joined(manifests),
        "gates": [gate.model_dump(mode="json") for gate in report.gates],
        "warnings": _warnings(recipe, ask, made, report),
    }


def _composition(one: _Made) -> dict[str, Any]:
    part = one.part
    return {
        "name": part.name,
        "source_ds": part.source_ds,
        "how": part.how,
        "origin": _origin(one),
        "license": part.license,
        "wanted": {"PASS": part.passed, "FAIL": part.failed},
        "rows": _labels(one),
        "note": part.note,
    }


def _labels(one: _Made) -> dict[str, int]:
    labels = Counter(row.label for row in one.rows)
    return {label: labels[label] for label in LABELS}


def _origin(one: _Made) -> str:
    """Where the rows are from: the Hub, or the file that stood in for it."""
    if one.file is None:
        return one.part.origin
    path = Path(one.file.partition(":")[2] if not Path(one.file).exists() else one.file)
    return f"{path.name}, sha256 {sha256(path.read_bytes()).hexdigest()[:16]}"


def _sources(one: _Made) -> list[dict[str, Any]]:
    part, rows = one.part, len(one.rows)
    told = {"ref": _origin(one), "name": part.source_ds, "home": part.home}
    if one.manifest:
        return [{**source, **told} for source in one.manifest["sources"]]
    native = {"license": part.license, "domain": "general", "rows": one.read, "items": rows,
              "pairs": 0}  # fmt: skip
    return [{**told, **native}]


def _warnings(recipe: Recipe, ask: Ask, made: Sequence[_Made], report: AuditReport) -> list[str]:
    lacking = [_lacking(one) for one in made if _labels(one) != _wanted(one.part)]
    outcomes = [one.outcome for one in made if one.outcome]
    left_open = caveats(replace(ask, control=recipe.control)) if outcomes else []
    notes = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
    return [*lacking, *unheld(report), *left_open, *notes]


def _wanted(part: Part) -> dict[str, int]:
    return {"PASS": part.passed, "FAIL": part.failed}


def _lacking(one: _Made) -> str:
    has, wanted = _labels(one), _wanted(one.part)
    told = (
        f"{one.part.source_ds} has {has['PASS']:,} PASS and {has['FAIL']:,} FAIL rows of the "
        f"{wanted['PASS']:,} and {wanted['FAIL']:,} of the recipe"
    )
    reasons = one.outcome.ledger.top_reasons() if one.outcome else []
    why = "; ".join(f"{reason} ({count:,})" for reason, count in reasons)
    return f"{told}{f': {why}' if why else ''}. {one.part.note}".strip()


def _outcome(
    ask: Ask, made: Sequence[_Made], manifest: dict[str, Any], report: AuditReport
) -> Outcome:
    stages = [
        Stage(one["stage"], one["entered"], one["kept"], one["rejected"])
        for one in manifest["stages"]
    ]
    outcomes = [one.outcome for one in made if one.outcome]
    return Outcome(
        out=ask.out,
        asked=sum(min(one.part.passed, one.part.failed) for one in made if one.outcome),
        pairs=manifest["data"]["pairs"],
        rows=manifest["data"]["rows"],
        ledger=Ledger(stages),
        audit=report,
        warnings=tuple(manifest["warnings"]),
        cost_usd=manifest["cost"]["cost_usd"],
        spent_usd=sum(one.spent_usd for one in outcomes),
        incomplete=" ".join(filter(None, (one.incomplete for one in outcomes))),
    )
