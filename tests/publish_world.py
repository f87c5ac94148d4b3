"""A small finished benchmark, and the command run against a Hub on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, cast

from hub_server import TOKEN, HubServer, Repo

from halubench.generate import Ask, generate

SAMPLE = Path(__file__).parents[1] / "examples" / "documents" / "general.jsonl"
MAIN = "from halubench.cli import main; main()"
_numbers = count()
# The clients read the Hub's address when they are imported, which takes seconds: one process whose
# Hub is the test's runs one command after the other.
_LOOP = """
import contextlib, io, json, os, sys
from halubench.cli import main
answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    asked = json.loads(line)
    os.environ.pop("HF_TOKEN", None)
    os.environ.update(asked["env"])
    sys.argv = ["halubench", *asked["words"]]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


def finished(out: Path) -> Path:
    """A run of twelve pairs made by rules."""
    generate(Ask(sources=(str(SAMPLE),), model="rules", out=out, accept=12))
    return out


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


class Desk:
    """A person with halubench, logged in to a Hub on loopback."""

    def __init__(self, hub: HubServer, home: Path) -> None:
        self.hub, self.home = hub, home
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOOP],
            env=self.environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.fresh()

    def fresh(self) -> None:
        """Forget faults and requests; take a name that no repository has."""
        self.hub.faults.clear()
        self.hub.log.clear()
        self.hub.quota = None
        self.name = f"us/pairs{next(_numbers)}"

    @property
    def repo(self) -> Repo:
        return self.hub.repo(self.name)

    def run(self, *words: object, token: str | None = TOKEN) -> Done:
        ask = {"words": [*map(str, words)], "env": {"HF_TOKEN": token} if token else {}}
        into, back = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        into.write(json.dumps(ask) + "\n")
        into.flush()
        return Done(*json.loads(back.readline()))

    def push(self, folder: Path, *words: object, token: str | None = TOKEN) -> Done:
        return self.run("push", folder, self.name, *words, token=token)

    def start_push(self, folder: Path) -> subprocess.Popen[bytes]:
        """A push in a process of its own, to be raced or killed."""
        words = [sys.executable, "-c", MAIN, "push", str(folder), self.name]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(words, env=self.environ(), stdout=quiet, stderr=quiet)

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return kept | self.hub.environ(self.home)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
