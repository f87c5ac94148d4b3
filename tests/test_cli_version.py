"""``halubench --version``."""

from importlib.metadata import version

from typer.testing import CliRunner

from halubench.cli import app


def test_the_version_is_that_of_the_package():
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output.strip()) == (0, f"halubench {version('halubench')}")
