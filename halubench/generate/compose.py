"""A recipe's benchmark: every part made or imported by itself, then put together and audited.

Each part has its run folder in ``parts/``, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from halubench import audit, dataset
from halubench.assemble import split_of
from halubench.audit import page
from halubench.errors import InputError
from halubench.generate import card
from halubench.generate.ask import Ask, Outcome, Progress, Tick, silent
from halubench.generate.finish import FORMAT, unheld, versions
from halubench.generate.flow import generate
from halubench.generate.ledger import Ledger, Stage
from halubench.generate.upstream import draw, gold
from halubench.records import Provenance
from halubench.run import RunFolder
from halubench.text import digest, passage_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halubench.audit import AuditReport
    from halubench.dataset import Dataset
    from halubench.generate.recipe import Part, Recipe
    from halubench.records import Example, Json

    Rows = tuple[list[Example], dict[str, Provenance]]

NATIVE = "native"
"""The perturbation, relation and generator of rows that come with their own labels."""


def compose(
    recipe: Recipe, ask: Ask, files: Mapping[str, str], progress: Progress = silent
) -> Outcome:
    """Make the benchmark of a recipe.

    Args:
        recipe: the composition.
        ask: model, jury, limits and folder; its sources, size and splits are the recipe's.
        files: local files that stand in for the Hub, by the name of a part.
        progress: told of each step.

    Raises InputError for a name that is no part, else as :func:`halubench.generate.flow.generate`.
    """
    check_files(recipe, files)
    claim: dict[str, Json] = {**_asked(recipe, ask), "source_files": dict(files)}
    with RunFolder.open(ask.out, claim) as folder:
        rows: list[Example] = []
        origins: dict[str, Provenance] = {}
        told: list[dict[str, Any]] = []
        left = ask.max_usd
        for part in recipe.parts:
            mine = replace(ask, max_usd=left)
            made, origin, manifest = _part(part, recipe, mine, files.get(part.name), progress)
            cost = manifest.get("cost", {}).get("cost_usd") or 0.0
            left = None if left is None else max(0.0, left - cost)
            rows += made
            origins |= origin
            told.append({"part": part, "rows": made, "manifest": manifest})
        rows.sort(key=lambda row: digest(str(ask.seed), row.id))
        dataset.write(folder.path, rows, origins)
        data = dataset.load(str(folder.path))
        report = _audit(data, folder, ask, progress)
        manifest = _manifest(recipe, ask, told, data, report)
        folder.write_json("manifest.json", manifest)
        folder.write_text("README.md", card.render(manifest, data, report))
        return _outcome(recipe, ask, manifest, report)


def check_files(recipe: Recipe, files: Mapping[str, str]) -> None:
    """Raise InputError for a file that stands in for no part."""
    known = [part.name for part in recipe.parts]
    for name in files:
        if name not in known:
            what = f"--source-file {name} is no part of {recipe.name}."
            raise InputError(what, f"Its parts: {', '.join(known)}.")


def part_ask(part: Part, recipe: Recipe, ask: Ask, file: str | None) -> Ask:
    """What is asked of ``generate`` for one part."""
    source = gold(part, file, ask.out / "parts" / "gold")
    return replace(
        ask,
        sources=(source,),
        out=ask.out / "parts" / part.name,
        accept=min(part.passed, part.failed),
        control=recipe.control,
        temperature=ask.temperature if ask.temperature is not None else recipe.temperature,
        splits=tuple(recipe.splits.items()),
    )


def _part(
    part: Part, recipe: Recipe, ask: Ask, file: str | None, progress: Progress
) -> tuple[list[Example], dict[str, Provenance], dict[str, Any]]:
    if part.how == "import":
        progress(Tick("ingest", 0, 0, part.name))
        rows = draw(part, file, ask.seed)
        return rows, {row.id: _native(part, row, recipe, ask.seed) for row in rows}, {}
    outcome = generate(part_ask(part, recipe, ask, file), progress)
    data = dataset.load(str(outcome.out))
    renamed = [replace(row, source_ds=part.source_ds) for row in data.examples]
    return renamed, dict(data.provenance), _read(outcome)


def _read(outcome: Outcome) -> dict[str, Any]:
    return dict(json.loads((outcome.out / "manifest.json").read_text("utf-8")))


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
    recipe: Recipe,
    ask: Ask,
    told: Sequence[dict[str, Any]],
    data: Dataset,
    report: AuditReport,
) -> dict[str, Any]:
    manifests = [one["manifest"] for one in told if one["manifest"]]
    parts = [_composition(one["part"], one["rows"]) for one in told]
    first = manifests[0] if manifests else {}
    return {
        "format": FORMAT,
        "recipe": {
            "name": recipe.name,
            "title": recipe.title,
            "about": recipe.about,
            "parts": parts,
        },
        "asked": _asked(recipe, ask),
        "versions": versions(),
        "data": {
            "sha256": data.sha256,
            "rows": len(data.examples),
            "pairs": sum(manifest["data"]["pairs"] for manifest in manifests),
            "splits": dict(sorted(Counter(data.splits.values()).items())),
        },
        "sources": [source for one in told for source in _sources(one)],
        "licenses": dict(sorted(Counter(one.license for one in data.provenance.values()).items())),
        "stages": _stages(manifests),
        "candidates": _candidates(manifests),
        "perturbations": {},
        "prompt": first.get("prompt"),
        "jury": _jury(manifests),
        "rounds": [],
        "cost": {},
        "gates": [gate.model_dump(mode="json") for gate in report.gates],
        "warnings": [*_lacking(parts), *unheld(report)],
    }


def _composition(part: Part, rows: Sequence[Example]) -> dict[str, Any]:
    labels = Counter(row.label for row in rows)
    return {
        "name": part.name,
        "source_ds": part.source_ds,
        "how": part.how,
        "origin": part.origin,
        "license": part.license,
        "wanted": {"PASS": part.passed, "FAIL": part.failed},
        "rows": {"PASS": labels["PASS"], "FAIL": labels["FAIL"]},
        "note": part.note,
    }


def _sources(one: dict[str, Any]) -> list[dict[str, Any]]:
    part: Part = one["part"]
    if one["manifest"]:
        told = {"name": part.source_ds, "home": part.home}
        return [{**source, **told} for source in one["manifest"]["sources"]]
    rows = len(one["rows"])
    return [
        {"ref": part.origin, "name": part.source_ds, "home": part.home, "license": part.license,
         "domain": "general", "rows": rows, "items": rows, "pairs": 0}
    ]  # fmt: skip


def _stages(manifests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for manifest in manifests:
        for stage in manifest["stages"]:
            empty = {"stage": stage["stage"], "entered": 0, "kept": 0, "rejected": {}}
            whole = found.setdefault(stage["stage"], empty)
            whole["entered"] += stage["entered"]
            whole["kept"] += stage["kept"]
            whole["rejected"] = dict(Counter(whole["rejected"]) + Counter(stage["rejected"]))
    return list(found.values())


def _candidates(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    told = [manifest["candidates"] for manifest in manifests]
    refused = sum((Counter(one["refused"]) for one in told), Counter[str]())
    unusable = sum((Counter(one["unusable_answers"]) for one in told), Counter[str]())
    return {
        "proposed": sum(one["proposed"] for one in told),
        "passed": sum(one["passed"] for one in told),
        "refused": dict(sorted(refused.items())),
        "unusable_answers": dict(sorted(unusable.items())),
    }


def _jury(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The juries of all parts together; agreement is each part's own."""
    told = [manifest["jury"] for manifest in manifests]
    verdicts = sum((Counter(one["verdicts"]) for one in told), Counter[str]())
    by_class: dict[float, Counter[str]] = {}
    for one in (each for jury in told for each in jury["hardness"]):
        counts = Counter({"kept": one["kept"], "dropped": one["dropped"]})
        by_class[one["at_most"]] = by_class.get(one["at_most"], Counter()) + counts
    return {
        "jurors": told[0]["jurors"] if told else [],
        "pairs": sum(one["pairs"] for one in told),
        "verdicts": dict(sorted(verdicts.items())),
        "second_pass": sum(one["second_pass"] for one in told),
        "proven_by_code": sum(one["proven_by_code"] for one in told),
        "hardness": [
            {"at_most": most, "kept": count["kept"], "dropped": count["dropped"]}
            for most, count in sorted(by_class.items())
        ],
        "fleiss_kappa": None,
        "wordings": told[0]["wordings"] if told else {},
    }


def _lacking(parts: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{one['source_ds']} has {one['rows']['PASS']:,} PASS and {one['rows']['FAIL']:,} FAIL rows of "
        f"the {one['wanted']['PASS']:,} and {one['wanted']['FAIL']:,} of the recipe. {one['note']}".strip()
        for one in parts
        if one["rows"] != one["wanted"]
    ]


def _outcome(recipe: Recipe, ask: Ask, manifest: dict[str, Any], report: AuditReport) -> Outcome:
    ledger = Ledger(
        [
            Stage(one["stage"], one["entered"], one["kept"], one["rejected"])
            for one in manifest["stages"]
        ]
    )
    passed, failed = recipe.rows()
    return Outcome(
        out=ask.out,
        asked=min(passed, failed),
        pairs=manifest["data"]["pairs"],
        ledger=ledger,
        audit=report,
        warnings=tuple(manifest["warnings"]),
        cost_usd=None,
    )
