"""The ``halubench`` command: one file a command; nothing but arguments, progress and messages.

Every module of this package with a ``command`` function is a command of that name; one with an
``app`` (typer) is a command that has commands of its own. Modules here import only the standard
library, typer, rich and halubench.errors at the top: ``--help`` stays fast because everything heavy
is imported inside the function.
"""

from __future__ import annotations

import gc
import io
import signal
import sys
from typing import Annotated, NoReturn

import typer

from halubench.cli._commands import register
from halubench.errors import HalubenchError

_ABOUT = "Hallucination benchmarks from your own documents, and honest scores for judges."
app = typer.Typer(
    name="halubench",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"halubench {version('halubench')}")
        raise typer.Exit


@app.callback(help=_ABOUT)
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """What comes before a command's name."""
    del version


def _register() -> None:
    register(app, __name__, __path__)


def main() -> None:
    """Run the command; a known error becomes one sentence and its exit code, never a traceback."""
    from halubench.cli._console import fail

    gc.set_threshold(*_COLLECTED)
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):  # A dash that a terminal cannot show ends no job.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        _register()
        app()
    except HalubenchError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        sys.exit(fail(None))
    except SystemExit as stop:  # typer makes this of a KeyboardInterrupt, without a word.
        if stop.code in _STOPPED:
            fail(None)
        raise


_COLLECTED = (50_000, 20, 100)
"""Objects and rounds between collections of cycles. A command imports some hundred thousand objects
that stay; looking them through again and again takes a tenth of the time of judging 2,000 rows."""
_STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def _terminated(*_: object) -> NoReturn:
    """End as by ctrl-C when a scheduler or container asks to."""
    sys.exit(128 + signal.SIGTERM)
