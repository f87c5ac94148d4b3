"""A whole evaluation, from the command to the written result, beside Inspect and the LM Evaluation
Harness running the task that ``halubench export`` wrote of it: rows a second, and whether the
verdicts are the same row by row.

All three ask one scripted server on loopback, a process of its own, which answers after 50 ms in
one of several shapes that follow from the prompt alone, some of them unreadable. Run

    python benchmarks/harnesses.py inspect=ENV/bin/inspect lm_eval=ENV/bin/lm_eval [rows=2000]

with the commands of environments that hold ``inspect_ai`` with ``openai``, and ``lm_eval[api]``,
each with halubench's dependencies. ``in_flight`` (64), ``delay_ms`` (50) and ``mode`` (reason; the
harness cannot hold ``direct``) can be set too.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from loopback import served

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Verdicts = dict[str, str]

ROOT = Path(__file__).parents[1]
SHAPES = (
    '{"REASONING": ["x"], "SCORE": "%s"}',
    "{'REASONING': ['it\\'s so'], 'SCORE': %s}",
    '```json\n{"REASONING": [], "SCORE": "%s"}\n```',
    "  Well.\n\nSCORE: %s\n",
    '<think>SCORE: PASS</think>{"SCORE": "%s"}',
    'assistant\n\n{"REASONING": ["y"], "SCORE": %s',
)
UNREADABLE = ("I cannot say.", "SCORE: PASS or FAIL", '{"SCORE": "MAYBE"}', "<think>and so on")


def answer(prompt: str) -> str:
    """What the server says: nothing but the prompt decides it."""
    number = int(hashlib.sha256(prompt.encode()).hexdigest()[:12], 16)
    if number % 13 == 0:
        return UNREADABLE[number // 13 % len(UNREADABLE)]
    return SHAPES[number // 7 % len(SHAPES)] % ("PASS" if number // 101 % 2 else "FAIL")


def first_token(prompt: str) -> dict[str, object]:
    """The first token of an answer of one word; some are none of the two."""
    share = (int(hashlib.sha256(prompt.encode()).hexdigest()[:6], 16) + 1) / 2**25
    words = ("maybe", "no", "well") if share < 0.03 else ("PASS", "FAIL", "well")
    shares = zip(words, (share, 1 - 1.5 * share, share / 2), strict=True)
    told = [{"token": word, "logprob": math.log(p), "bytes": None} for word, p in shares]
    return {**told[0], "top_logprobs": told}


def response(body: bytes) -> bytes:
    """The whole HTTP answer to a chat request; nothing else is known here."""
    if not body:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    asked = json.loads(body)
    prompt = asked["messages"][-1]["content"]
    message = {"role": "assistant", "content": answer(prompt)}
    usage = {"prompt_tokens": 300, "completion_tokens": 12, "total_tokens": 312}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    if asked.get("logprobs"):
        choice["logprobs"] = {"content": [first_token(prompt)]}
    told = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
    text = json.dumps({**told, "choices": [choice], "usage": usage}).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length"
    return f"{head}: {len(text)}\r\n\r\n".encode() + text


def write_rows(path: Path, rows: int) -> None:
    """Pairs with passages of about 1,200 characters."""
    with path.open("w") as file:
        for row in range(rows):
            label, number = ("PASS", "FAIL")[row % 2], row // 2
            passage = f"In year {number} the company sold {number * 7} units of {number}. " * 24
            told = {"id": f"r{row}", "passage": passage, "question": f"What of year {number}?"}
            said = {"answer": f"{number * (7, 8)[row % 2]} units", "label": label}
            file.write(json.dumps({**told, **said, "source_ds": "made"}) + "\n")


def command(argv: Sequence[str], folder: Path, url: str) -> tuple[float, float]:
    """(seconds from start to end, processor seconds) of a command, bytecode kept as usual."""
    told = {"PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url}
    quiet = {"HF_HUB_OFFLINE": "1", "INSPECT_LOG_DIR": str(folder / "logs")}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        argv, cwd=folder, env={**own, **told, **quiet}, capture_output=True, check=False
    )
    seconds, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, spent


def halubench(url: str, mode: str, window: int) -> list[str]:
    argv = ["-m", "halubench", "evaluate", "--model", f"openai:m@{url}", "--data", "rows.jsonl"]
    return [sys.executable, *argv, "--mode", mode, "--window", str(window), "--out", "results"]


def inspect(binary: str, window: int) -> list[str]:
    argv = ["eval", "inspect/task.py", "--model", "openai/m", "-M", "responses_api=false"]
    speed = ["--max-connections", str(window), "--max-samples", str(window)]
    return [binary, *argv, *speed, "--log-format", "json", "--display", "none"]


def lm_eval(binary: str, url: str, window: int) -> list[str]:
    argv = ["--include_path", "lm-eval", "--tasks", "halubench_rows", "--apply_chat_template"]
    model = f"model=m,base_url={url}/chat/completions,num_concurrent={window}"
    told = ["--model", "local-chat-completions", "--model_args", model]
    return [binary, *argv, *told, "--log_samples", "--output_path", "samples"]


def our_verdicts(folder: Path) -> Verdicts:
    rows = pq.read_table(next(folder.glob("results/*/predictions.parquet"))).to_pylist()
    return {row["id"]: row["verdict"] or "UNSCORED" for row in rows}


def inspect_verdicts(folder: Path) -> Verdicts:
    log = json.loads(next(folder.glob("logs/*.json")).read_text())
    scores: dict[str, Any] = {each["id"]: each["scores"] for each in log["samples"]}
    return {id: next(iter(s.values()))["answer"].split(":")[0] for id, s in scores.items()}


def lm_eval_verdicts(folder: Path) -> Verdicts:
    lines = next(folder.glob("samples/**/samples*.jsonl")).read_text().splitlines()
    samples = [json.loads(line) for line in lines]
    return {each["doc"]["id"]: each["fail_f1"][1] for each in samples}


def report(name: str, rows: int, spent: tuple[float, float], ours: tuple[float, float]) -> None:
    (seconds, cpu), times = spent, spent[0] / ours[0]
    print(
        f"{name}: {rows / seconds:.0f} rows/s end to end, {cpu / rows * 1e3:.1f} ms CPU a row; "
        f"halubench {times:.1f} times as fast",
        flush=True,
    )


def compare(url: str, folder: Path, asked: dict[str, str]) -> None:
    """Run all three and print their figures."""
    rows, window = int(asked["rows"]), int(asked.get("in_flight", "64"))
    write_rows(folder / "rows.jsonl", rows)
    ours = command(halubench(url, asked.get("mode", "reason"), window), folder, url)
    report("halubench", rows, ours, ours)
    run = str(next(folder.glob("results/*")))
    peers: dict[str, tuple[Callable[[], list[str]], Callable[[Path], Verdicts]]] = {
        "inspect": (lambda: inspect(asked["inspect"], window), inspect_verdicts),
        "lm_eval": (lambda: lm_eval(asked["lm_eval"], url, window), lm_eval_verdicts),
    }
    told = our_verdicts(folder)
    for name, (argv, read) in peers.items():
        if name in asked:
            form = name.replace("_", "-")
            made = [sys.executable, "-m", "halubench", "export", run, "--to", form, "--out", form]
            command(made, folder, url)
            report(name, rows, command(argv(), folder, url), ours)
            theirs = read(folder)
            same = sum(theirs.get(id) == verdict for id, verdict in told.items())
            print(f"  the same verdict on {same} of {len(told)} rows", flush=True)


def main() -> None:
    """See the module."""
    asked = dict(part.split("=", 1) for part in sys.argv[1:])
    delay_s = float(asked.get("delay_ms", "50")) / 1e3
    with served(delay_s, response) as url:
        for rows in ("20", asked.pop("rows", "2000")):  # The first time only warms up.
            with tempfile.TemporaryDirectory() as folder:
                print(f"{rows} rows", flush=True)
                compare(url, Path(folder), {**asked, "rows": rows})


if __name__ == "__main__":
    main()
