"""Results and their benchmark in other people's forms: ``halubench export``.

A form is one module here with ``export(job: Job) -> dict[str, str]``: file name to text.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.export.base import Job
from halubench.mistakes import Choice, load_cases
from halubench.run import publish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMS = {"inspect": "inspect_ai", "lm-eval": "lm_eval", "model-index": "model_index"}
MARK = "halubench.json"


def export(
    run: Path, to: str, out: Path, data: str | None = None, mapping: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the results of one judge, or the benchmark with the judge's prompt, into ``out``.

    ``to`` is one of :data:`FORMS`; ``data`` and ``mapping`` as for
    :func:`halubench.mistakes.load_cases`. Returns the paths written.

    Raises InputError (unknown form, no judge's folder, a judge or prompt that the form cannot
    hold), OutputError.
    """
    if to not in FORMS:
        raise InputError(f"There is no form {to!r}.", f"Known: {', '.join(FORMS)}.")
    module = import_module(f"halubench.export.{FORMS[to]}")
    found = load_cases(run, Choice(), data, mapping)
    job = Job(found.results, found.cases)
    files: dict[str, str] = module.export(job)
    told = {"format": f"halubench/export-{to}/1", "sha256": job.results.data.sha256}
    return publish(out, {**files, MARK: json.dumps(told) + "\n"}, MARK)
