"""Options that several commands read alike."""

from __future__ import annotations

from halubench.errors import InputError


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
