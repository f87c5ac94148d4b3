"""Options that are read by hand: what is no list of names is told so."""

from __future__ import annotations

import pytest

from halubench.cli._options import named
from halubench.errors import InputError


def test_names_and_values_are_read_without_white_space() -> None:
    assert named("passage = context, label=gold", "--map", "a=b") == {
        "passage": "context",
        "label": "gold",
    }
    assert named(None, "--map", "a=b") == {}


@pytest.mark.parametrize("text", ["", "passage", "passage=", "=context", "a=b,", "a=b,,c=d"])
def test_what_is_no_name_and_value_is_told_how_to_be_written(text: str) -> None:
    with pytest.raises(InputError, match=r"--map .* cannot be read. Write --map passage=COLUMN"):
        named(text, "--map", "passage=COLUMN")


def test_name_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        named("passage=a,passage=b", "--map", "passage=COLUMN")
