"""The command as a user meets it: fast to start, documented, and never a traceback."""

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import halubench.cli
from halubench.cli import _console, main
from halubench.errors import HalubenchError, IncompleteError, InputError, OutputError

COMMANDS = sorted(
    info.name for info in pkgutil.iter_modules(halubench.cli.__path__) if info.name[0] != "_"
)
# Without pydantic, which typer itself imports for the options of a command.
HEAVY = [
    *("torch", "transformers", "datasets", "pandas", "sklearn", "scipy", "numpy", "pyarrow"),
    *("aiohttp", "openai", "jinja2"),
]
HELP = f"""
import sys
import halubench.cli
sys.argv = ["halubench", *{{arguments}}]
try:
    halubench.cli.main()
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
found = sorted({{{{name.partition(".")[0] for name in sys.modules}}}} & set({HEAVY}))
assert not found, found
"""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The app with its commands, registered once and away from other tests."""
    fresh = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    fresh.callback()(lambda: None)  # a lone command would else become the app itself
    monkeypatch.setattr(halubench.cli, "app", fresh)
    halubench.cli._register()
    return fresh


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_starts_without_heavy_imports(arguments: list[str], tmp_path: Path) -> None:
    code = HELP.format(arguments=arguments)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_four_commands_are_there() -> None:
    assert {"generate", "audit", "evaluate", "leaderboard"} <= set(COMMANDS)


def test_every_command_and_option_has_a_help_text(app: typer.Typer) -> None:
    group = typer.main.get_command(app)
    assert set(group.commands) == {name.replace("_", "-") for name in COMMANDS}
    for name, command in group.commands.items():
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {parameter.opts}"


def test_help_texts_are_shown_whole(app: typer.Typer) -> None:
    """Square brackets are rich markup unless escaped, and would vanish."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "1000"}).output
        for parameter in command.params:
            for word in re.findall(r"\\?\[[^\]]*\]", getattr(parameter, "help", None) or ""):
                assert word.removeprefix("\\") in shown, f"{name} {parameter.name}: {word} is lost"


def test_an_unknown_option_is_refused_with_code_2(app: typer.Typer) -> None:
    for name in COMMANDS:
        assert CliRunner().invoke(app, [name.replace("_", "-"), "--no-such-option"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a.csv, row 3: the passage is empty.", "Fill it."), 2),
        (OutputError("The folder [out] is read-only.", "Choose another."), 3),
        (IncompleteError("12 of 40 rows were judged.", "Run it again."), 75),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_known_error_is_one_sentence_and_its_code(
    error: BaseException,
    code: int,
    app: typer.Typer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken() -> None:
        raise error

    app.command(name="broken")(broken)
    monkeypatch.setattr(halubench.cli, "_register", lambda: None)
    monkeypatch.setattr(sys, "argv", ["halubench", "broken"])
    monkeypatch.setattr(_console, "err", _console.Console(file=sys.stderr, highlight=False))
    with pytest.raises(SystemExit) as stopped:
        main()
    shown = capsys.readouterr()
    assert stopped.value.code == code
    assert shown.out == ""
    assert "Traceback" not in shown.err
    if isinstance(error, HalubenchError):
        assert error.what in shown.err
        assert error.remedy in shown.err
