"""Stopped from outside: one sentence, the signal's exit code, and nothing paid for twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from generate_world import row
from scripted_server import ScriptedServer, chat

if TYPE_CHECKING:
    from pathlib import Path

RUN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from halubench.cli import main; main()"
)
ROWS = 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_evaluation_says_so_and_is_gone_on_with(
    tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "bench.jsonl"
    rows = [{**row(i), "label": "PASS" if i % 2 else "FAIL"} for i in range(ROWS)]
    data.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    with ScriptedServer(lambda seen: chat("PASS", delay_s=60 * (seen.number == 2))) as server:
        command = [sys.executable, "-c", RUN, "evaluate", "--data", str(data), "--window", "1"]
        command += ["--model", f"openai:m@{server.url}", "--out", str(tmp_path / "results")]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while len(server.seen) < 3 and child.poll() is None:
            time.sleep(0.05)
        child.send_signal(number)
        shown, told = child.communicate(timeout=60)
        assert child.returncode == 128 + number
        assert "Stopped. Nothing is lost" in told
        assert "Traceback" not in told + shown
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert len(server.seen) == ROWS + 1
