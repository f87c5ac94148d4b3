"""The dataset card, written from what was measured."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, StrictUndefined

from halubench import dataset, licences
from halubench.audit import AuditReport
from halubench.run import publish
from halubench.text import squeeze, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halubench.dataset import Dataset
    from halubench.records import Example, Json, Provenance

_TEMPLATE = Path(__file__).with_name("card.md.jinja")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_EXAMPLES = 3
_EXCERPT, _BEFORE = 400, 60
"""Characters of a passage that an example shows, and those at its ends without what matters."""
_WORD = re.compile(r"\w+")
_SHORT = 3


def render(manifest: Mapping[str, Any], data: Dataset, report: AuditReport) -> str:
    """The card as markdown with the Hub's YAML metadata.

    Args:
        manifest: what :mod:`halubench.generate.finish` writes as ``manifest.json``.
        data: the dataset as it was read back.
        report: its audit.
    """
    environment = Environment(  # noqa: S701  (markdown, not HTML)
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(figure=_figure, cell=_cell)
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    table = _table(data)
    return template.render(
        manifest=manifest,
        front=_front(manifest, data),
        title=_title(manifest),
        where="PATH_OR_REPOSITORY",
        largest=max(manifest["data"]["splits"], key=manifest["data"]["splits"].__getitem__),
        rows=len(data.examples),
        pairs=manifest["data"]["pairs"],
        splits=[{"name": name, "rows": n} for name, n in manifest["data"]["splits"].items()],
        licence=licences.sentence(manifest["licenses"]),
        recipe=manifest.get("recipe"),
        twins=_twins(data),
        rules=manifest["prompt"] is None,
        bare=manifest["asked"]["control"] == "none",
        levels=sorted({level for counts in table.values() for level in counts}),
        table=table.items(),
        probes=report.overall.probes,
        examples=list(_examples(data)),
    )


def note_review(folder: Path, review: Mapping[str, Json]) -> bool:
    """Put what people found into the manifest and the card of a run; False: ``folder`` is no run.

    Raises OutputError when they cannot be written.
    """
    path = folder / "manifest.json"
    if not path.is_file() or not (folder / "audit" / "audit.json").is_file():
        return False
    manifest = json.loads(path.read_text("utf-8")) | {"review": review}
    report = AuditReport.model_validate_json((folder / "audit" / "audit.json").read_bytes())
    text = render(manifest, dataset.load(str(folder)), report)
    told = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    publish(folder, {"manifest.json": told, "README.md": text}, "manifest.json")
    return True


def _title(manifest: Mapping[str, Any]) -> str:
    if recipe := manifest.get("recipe"):
        return str(recipe["title"])
    names = list(dict.fromkeys(source["name"] for source in manifest["sources"]))
    return f"Hallucination pairs from {', '.join(names)}"


def _front(manifest: Mapping[str, Any], data: Dataset) -> str:
    ids = licences.hub_ids(manifest["licenses"])
    splits = sorted(set(data.splits.values()))
    size = next((name for most, name in _SIZES if len(data.examples) < most), "n>1M")
    front: dict[str, Json] = {
        "pretty_name": _title(manifest),
        "license": ids[0] if len(ids) == 1 else [*ids],
        "language": ["en"],
        "task_categories": ["text-classification", "question-answering"],
        "size_categories": [size],
        "tags": [
            "hallucination",
            "faithfulness",
            "benchmark",
            "llm-as-a-judge",
            "rag",
            "halubench",
        ],
        "configs": [
            _config("rows", "data", splits, default=True),
            _config("provenance", "provenance", splits, default=False),
        ],
    }
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n"


def _config(name: str, folder: str, splits: list[str], *, default: bool) -> dict[str, Json]:
    files: list[Json] = [{"split": one, "path": f"{folder}/{one}.parquet"} for one in splits]
    return {"config_name": name, "data_files": files, **({"default": True} if default else {})}


def _twins(data: Dataset) -> int:
    """Pairs whose PASS answer is edited too."""
    passed = (data.provenance[one.id] for one in data.examples if one.label == "PASS")
    return sum(bool(origin.edit_new) for origin in passed)


def _table(data: Dataset) -> dict[str, Counter[str]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in data.examples:
        origin = data.provenance[example.id]
        if example.label == "FAIL" and origin.level:
            counts[origin.perturbation][origin.level] += 1
    return dict(sorted(counts.items()))


def _examples(data: Dataset) -> Iterator[dict[str, str]]:
    """The first pair, in row order, of three perturbations (or fewer), of different sources where
    there are such."""
    passes = {data.provenance[one.id].pair_id: one for one in data.examples if one.label == "PASS"}
    made = [(one, data.provenance[one.id]) for one in data.examples if one.label == "FAIL"]
    shown: set[str] = set()
    sources: set[str] = set()
    for another in (True, False):
        for example, origin in made:
            known = origin.perturbation in shown or (another and example.source_ds in sources)
            if origin.level and not known and len(shown) < _EXAMPLES:
                shown.add(origin.perturbation)
                sources.add(example.source_ds)
                yield _shown(example, passes[origin.pair_id], origin)


def _shown(failed: Example, passed: Example, origin: Provenance) -> dict[str, str]:
    left, right = marked(passed.answer, failed.answer)
    return {
        "perturbation": origin.perturbation,
        "level": origin.level,
        "source": failed.source_ds,
        "passage": _excerpt(failed.passage, passed.answer),
        "question": squeeze(failed.question),
        "passed": left,
        "failed": right,
    }


def _excerpt(passage: str, answer: str) -> str:
    """The passage, or the first part of it with the most of the answer's longer words and numbers."""
    passage = squeeze(passage)
    told = {word for word in words(answer) if len(word) > _SHORT or word[0].isdigit()}
    found = [(one.start(), one.group().lower()) for one in _WORD.finditer(passage)]
    places = [(at, word) for at, word in found if word in told]

    def held(start: int) -> int:
        end = start + _EXCERPT - 2 * _BEFORE
        return len({word for at, word in places if start <= at < end})

    most = max((at for at, _ in places), key=held, default=0)
    start = max(0, most - _BEFORE) if len(passage) > _EXCERPT else 0
    end = start + _EXCERPT
    return f"{'… ' if start else ''}{passage[start:end]}{' …' if end < len(passage) else ''}"


def marked(one: str, other: str) -> tuple[str, str]:
    """Both texts with the words in which they differ in bold."""
    left, right = one.split(), other.split()
    shortest = min(len(left), len(right))
    start = next((n for n in range(shortest) if left[n] != right[n]), shortest)
    shortest -= start
    end = next((n for n in range(shortest) if left[-1 - n] != right[-1 - n]), shortest)
    return _bold(left, start, len(left) - end), _bold(right, start, len(right) - end)


def _bold(words: list[str], start: int, end: int) -> str:
    marked = f"**{' '.join(words[start:end])}**" if start < end else "**∅**"
    return " ".join([*words[:start], marked, *words[end:]])


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return squeeze(text).replace("|", "\\|")
