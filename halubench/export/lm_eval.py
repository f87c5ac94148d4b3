"""A task of the LM Evaluation Harness (https://github.com/EleutherAI/lm-evaluation-harness)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.export.base import Job


def export(job: Job) -> dict[str, str]:
    """``halubench_NAME.yaml``, ``halubench_NAME.py`` and ``data.jsonl``.

    The harness takes one user message a row and one system message for all, and gives no
    probabilities of a chat model's tokens: raises InputError for a prompt or mode that needs more.
    """
    decoding = asdict(job.mode("reason").sampling)
    first = job.messages()[0]
    roles = [message["role"] for message in first]
    if roles not in (["user"], ["system", "user"]) or not _one_system(job):
        what = f"The prompt {job.results.judge.prompt!r} is not one user message, with at most one "
        raise InputError(
            f"{what}system message that is the same for every row; the harness takes no other.",
            "Export to inspect, or evaluate with another prompt.",
        )
    system = first[0]["content"] if roles[0] == "system" else ""
    name = f"halubench_{job.name}"
    return {
        "data.jsonl": job.lines(),
        f"{name}.yaml": job.render("lm_eval_task.yaml.jinja", system=system, decoding=decoding),
        f"{name}.py": job.render("lm_eval_task.py.jinja"),
    }


def _one_system(job: Job) -> bool:
    systems = [m["content"] for row in job.messages() for m in row if m["role"] == "system"]
    return len(set(systems)) <= 1
