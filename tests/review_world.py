"""A small labelled dataset of two sources, in pairs, for tests of the review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench import dataset
from halubench.records import Example, Provenance
from halubench.review import Sheet, open_sheet

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {"alpha": 9, "beta": 5}
EVIL = "<script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">"


def rows() -> tuple[list[Example], dict[str, Provenance]]:
    """Pairs of each source; the answers say which row they are, the ids do not."""
    examples: list[Example] = []
    origins: dict[str, Provenance] = {}
    for source, pairs in SOURCES.items():
        for n in range(pairs):
            for label in ("PASS", "FAIL"):
                name = f"{source[0]}{n}{'x' if label == 'PASS' else 'y'}"
                passage = f"Passage {n} of {source}. {EVIL}\n| cars | {n} |\n|---|---:|\n| vans | {EVIL} |"
                answer = f"Answer {name} {EVIL}"
                examples.append(Example(name, passage, f"Question {n}?", answer, label, source))
                origins[name] = _origin(name, f"{source}{n}", ("number", "name")[n % 2])
    return examples, origins


def _origin(name: str, pair: str, perturbation: str) -> Provenance:
    empty = dict.fromkeys(Provenance.__dataclass_fields__, "")
    told = {"id": name, "pair_id": pair, "group": pair, "perturbation": perturbation}
    return Provenance(**{**empty, **told, "split": "test", "seed": 0, "hardness": 0.0})


def write(folder: Path) -> Path:
    dataset.write(folder, *rows())
    return folder


def sheet(folder: Path, per_source: int = 4, seed: int = 0) -> Sheet:
    if not (folder / "data").is_dir():
        write(folder)
    data = dataset.load(str(folder))
    return open_sheet(data, folder / "review", per_source=per_source, seed=seed)
