"""Results of judges: folders of ``halubench evaluate``, one a judge, as a dataset of predictions.

Several people can push to one repository: a push replaces the folders of its own judges only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.publish.base import Bundle, format_is
from halubench.results import Results
from halubench.text import digest

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.publish.base import PushOptions

_SIGNS = re.compile(r"[^A-Za-z0-9._]+")
_FILES = ("results.json", "predictions.parquet", "judge.yaml")
_CARD = """---
pretty_name: Results of hallucination judges
tags:
- hallucination
- llm-as-a-judge
- halubench-results
configs:
- config_name: predictions
  data_files: results/*/predictions.parquet
---

# Results of hallucination judges

One folder a judge under `results/`: `results.json` has the scores with their intervals,
`predictions.parquet` what the judge said of each row, from which every score can be computed again.

```text
halubench pull {repo} --out pulled
halubench leaderboard build pulled --out board
```

The rows that were judged are not here; each `results.json` names them by reference and sha256.
"""


def matches(folder: Path) -> bool:
    return bool(_judges(folder))


def bundle(folder: Path, repo: str, _options: PushOptions) -> Bundle:
    """One folder a judge. Raises InputError for results without predictions or of two names."""
    files: dict[str, bytes | Path] = {"README.md": _CARD.format(repo=repo).encode()}
    judges = _judges(folder)
    named: dict[str, Path] = {}
    for judge in judges:
        results = _read(judge)
        name = _slug(results)
        if name in named:
            what = f"{named[name]} and {judge} are results of one judge on the same rows."
            raise InputError(what, "Push one of them.")
        named[name] = judge
        for part in _FILES:
            if (judge / part).is_file():
                files[f"results/{name}/{part}"] = judge / part
    return Bundle(
        kind="results",
        repo_type="dataset",
        title=f"results of {len(judges)} judge{'s' if len(judges) > 1 else ''}",
        files=files,
        owned=tuple(f"results/{name}" for name in named),
        tagged=False,
    )


def _judges(folder: Path) -> list[Path]:
    found = [folder, *sorted(path for path in folder.glob("*") if path.is_dir())]
    return [path for path in found if format_is(path / "results.json", "halubench/results")]


def _read(judge: Path) -> Results:
    if not (judge / "predictions.parquet").is_file():
        what = f"{judge} has results.json but no predictions.parquet."
        raise InputError(what, "Push the whole folder of halubench evaluate.")
    try:
        return Results.model_validate_json((judge / "results.json").read_bytes())
    except ValueError as error:
        what = f"{judge / 'results.json'} is not of this version of halubench."
        raise InputError(what, "Evaluate again, then push.") from error


def _slug(results: Results) -> str:
    """One folder a judge and dataset; a digest keeps names apart that differ in signs only."""
    mark = digest(results.data.sha256, results.judge.name, results.judge.prompt_hash)[:8]
    told = f"{results.data.name}-{results.judge.name}"
    return f"{_SIGNS.sub('-', told).strip('-.')[:80]}-{mark}"
