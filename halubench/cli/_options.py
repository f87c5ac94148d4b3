"""Options that several commands read alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halubench.errors import InputError

Content = Annotated[list[Path] | None, typer.Option(help="Your own folder of content. Repeatable.")]
Window = Annotated[int, typer.Option(min=1, help="Requests in flight.")]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds for one request.")]
Rpm = Annotated[
    float | None, typer.Option(help="Most requests a minute; else as the endpoint tells.")
]
Tpm = Annotated[
    float | None, typer.Option(help="Most tokens a minute; else as the endpoint tells.")
]
Retries = Annotated[int, typer.Option(min=0, help="Further attempts after a passing fault.")]
PriceIn = Annotated[float | None, typer.Option(min=0, help="US dollars per million tokens in.")]
PriceOut = Annotated[float | None, typer.Option(min=0, help="US dollars per million tokens out.")]


def look_in(folders: list[Path] | None) -> None:
    """Find content in these folders before all others, in the first one first of all.

    Raises InputError for one that does not exist.
    """
    from halubench import content

    for folder in reversed(folders or []):
        content.add_folder(folder)


def named(text: str | None, option: str, example: str) -> dict[str, str]:
    """The values of ``name=value,name=value`` by name; none when the option was not given.

    Raises InputError, with ``example`` as the remedy, for any other text and a name given twice.
    """
    if text is None:
        return {}
    parts = [part.partition("=") for part in text.split(",")]
    pairs = [(name.strip(), value.strip()) for name, _, value in parts]
    if not all(name and value for name, value in pairs):
        raise InputError(f"{option} {text!r} cannot be read.", f"Write {option} {example}.")
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError(f"{option} {text!r} gives a name twice.", "Give each name once.")
    return found
