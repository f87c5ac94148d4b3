"""The rules of the house, held by code: sizes, layers, clean text, what ships."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTENT = ("perturbations", "prompts", "judges", "trainers", "leaderboard", "examples")
OTHER_NAMES = {
    "sklearn": "scikit_learn",
    "yaml": "pyyaml",
    "yarl": "aiohttp",  # whose addresses are yarl's
    "httpx2": "huggingface_hub",  # whose errors are httpx2's
}
ELSEWHERE = {
    "compressed_tensors",
    "llmcompressor",
}  # one environment of its own, as its message says
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
# Written in halves, so that this file does not find itself.
FORBIDDEN = {
    "a home or work folder": re.compile(r"(?<![\w.$])/(?:home|root|work|Users)/\w"),
    "a temporary folder": re.compile(r"(?<![\w.$])/" + r"tmp/\w"),
    "an OpenAI or Anthropic key": re.compile(r"\bsk-(?:proj-|ant-)?\w{20,}"),
    "a Hub token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_|github_pat_)\w{30,}"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"BEGIN [A-Z ]*PRIVATE" + r" KEY"),
    "a login in an address": re.compile(r"https?://[^\s/:@\"'{}<>]+:[^\s/@\"'{}<>]+@[\w-]+\.\w"),
}


def tracked() -> list[str]:
    """Paths that git tracks; skips where there is no git or no repository (an sdist)."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


def python_files() -> list[Path]:
    folders = ("halubench", "tests", "benchmarks", "scripts")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_and_its_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTION):
            # The body alone: the signature of a command is the table of its options.
            length = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert length <= 50, f"{node.name} has {length} lines"


@pytest.mark.parametrize(("what", "pattern"), FORBIDDEN.items())
def test_no_machine_path_or_secret_is_tracked(what: str, pattern: re.Pattern[str]) -> None:
    found = []
    for path in tracked():
        text = (ROOT / path).read_bytes().decode("utf-8", "replace")
        found += [f"{path}: {match.group()}" for match in pattern.finditer(text)]
    assert not found, f"{what}: {found[:5]}"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a home or work folder", "see /ho" + "me/ana/notes"),
        ("a temporary folder", "in /tm" + "p/x"),
        ("a Hub token", "hf_" + "A" * 34),
        ("an OpenAI or Anthropic key", "sk-" + "proj-" + "a" * 24),
        ("a login in an address", "https://ana:" + "secret@example.org"),
    ],
)
def test_the_patterns_find_what_they_name(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


def test_the_wheel_takes_every_content_folder() -> None:
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {name: f"halubench/_content/{name}" for name in CONTENT}
    assert set(CONTENT) <= set(PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    for name in CONTENT:
        assert any((ROOT / name).iterdir()), f"{name} is empty"


def test_content_is_banned_from_imports() -> None:
    banned = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(banned) == set(CONTENT) - {"examples"}
    assert "TID" in PROJECT["tool"]["ruff"]["lint"]["select"]


@pytest.mark.parametrize("name", [name for name in CONTENT if name != "examples"])
def test_ruff_refuses_an_import_of_content(name: str) -> None:
    ruff = pytest.importorskip("ruff", reason="ruff is not installed")
    checked = subprocess.run(
        [ruff.find_ruff_bin(), "check", "--stdin-filename", "halubench/x.py", "--select", "TID251"],
        cwd=ROOT,
        input=f"import {name}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "halubench.content" in checked.stdout


def test_every_room_stands_in_the_layers() -> None:
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]
    layered = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    rooms = {
        f"halubench.{path.stem}"
        for path in (ROOT / "halubench").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }
    assert rooms <= layered


def test_every_package_that_is_imported_is_asked_for() -> None:
    parts = PROJECT["project"]
    asked = [*parts["dependencies"], *itertools.chain(*parts["optional-dependencies"].values())]
    names = {re.split(r"[<>=!~;\[ ]", one)[0].replace("-", "_").lower() for one in asked}
    imported = {
        name.split(".")[0]
        for path in (ROOT / "halubench").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    own = {"halubench", *sys.stdlib_module_names}
    assert {OTHER_NAMES.get(name, name) for name in imported - own} <= names | ELSEWHERE


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_torch_is_neither_a_dependency_nor_a_development_tool() -> None:
    names = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    assert not [name for name in names if name.startswith(("torch", "transformers", "vllm"))]


def test_decisions_are_numbered_and_short() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in paths] == [f"{n:04d}" for n in range(1, len(paths) + 1)]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name
