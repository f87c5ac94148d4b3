"""Takes files and commands out of a Markdown page, and does what the page says."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from halubench.cli import main

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"(?:`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A file to write (``name``), or a command to run (no name)."""

    text: str
    name: str = ""


def steps(page: str) -> list[Step]:
    """The files and commands of a page (or a part of one), in order."""
    found: list[Step] = []
    for name, language, text in _FENCE.findall(page):
        if language == "console":
            found += [Step(line.replace("\\\n", " ")) for line in _COMMAND.findall(text)]
        elif name:
            found.append(Step(text, name))
    return found


def sections(page: str, mark: str) -> dict[str, str]:
    """Heading -> text, for headings of that level."""
    parts = re.split(rf"^{mark} (.+)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@contextmanager
def workplace(folder: Path):
    """A folder with the samples, as the working directory."""
    (folder / "examples").symlink_to(ROOT / "examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield patch


def do(step: Step, patch: pytest.MonkeyPatch) -> None:
    """Write the file, or run the command; fail with the command where it does not exit 0."""
    if step.name:
        Path(step.name).parent.mkdir(parents=True, exist_ok=True)
        Path(step.name).write_text(step.text, encoding="utf-8")
        return
    program, *arguments = _shell(step.text)
    if program == "python":
        runpy.run_path(arguments[0])
        return
    assert program == "halubench", f"{step.text}: only halubench and python are run"
    patch.setattr(sys, "argv", [program, *arguments])
    code: object = None
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    assert not code, f"{step.text}: exit {code}"


def _shell(command: str) -> list[str]:
    words = shlex.split(command)
    return [
        name
        for word in words
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
