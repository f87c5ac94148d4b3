"""An Inspect task (https://inspect.aisi.org.uk): the same rows, messages, decoding and verdicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halubench.export.base import Job


def export(job: Job) -> dict[str, str]:
    """``task.py`` and ``data.jsonl``. Raises InputError where there is no prompt to export."""
    request = job.mode("reason", "direct").requests(())[0]
    decoding = {**asdict(request.sampling), "top_logprobs": request.top_logprobs}
    task = job.render("inspect_task.py.jinja", decoding=decoding)
    return {"data.jsonl": job.lines(), "task.py": task}
