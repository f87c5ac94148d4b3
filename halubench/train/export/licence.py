"""What the licences of base model and data ask of a fine-tuned model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from halubench import licences
from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LLAMA = {
    "llama-3.3": ("llama3.3", "Llama 3.3"),
    "llama-3.2": ("llama3.2", "Llama 3.2"),
    "llama-3.1": ("llama3.1", "Llama 3.1"),
    "llama-3": ("llama3", "Meta Llama 3"),
}
"""Marks in the name of a base model, the Hub's id of its licence, and the licence's own name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``license`` is the Hub's id; ``sentences`` are for the card; ``files`` go beside the weights;
    ``prefix`` is how the model's name must begin (empty: any name)."""

    license: str
    sentences: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict[str, str])
    prefix: str = ""


def terms(base: str, base_license: str | None, data: Sequence[str]) -> Terms:
    """The terms of a model that was tuned from ``base`` on data of these licences."""
    family = next((found for mark, found in _LLAMA.items() if mark in base.lower()), None)
    known = base_license or (family[0] if family else "")
    restricted = [one for one in data if "-nc" in one.lower()]
    sentences = [
        _base_sentence(base, known),
        _data_sentence(data),
        *([_nc_sentence(restricted)] if restricted else []),
    ]
    shown = "other" if restricted or not known else known
    if family is None:
        return Terms(shown, tuple(sentences))
    return _llama(Terms(shown, tuple(sentences)), family[1])


def _llama(plain: Terms, name: str) -> Terms:
    """Section 1.b of the Llama 3 Community License: notice, "Built with", and the name.

    https://www.llama.com/llama3/license/ ; 3.1 to 3.3 ask the same with their own names.
    """
    built = "Built with Meta Llama 3" if name == "Meta Llama 3" else "Built with Llama"
    notice = (
        f"{name} is licensed under the {name} Community License, Copyright © Meta Platforms, Inc. "
        "All Rights Reserved.\n"
    )
    prefix = "Llama-3" if name == "Meta Llama 3" else "Llama"
    told = (
        f"{built}. The {name} Community License goes with the weights and asks that the name of "
        f"the model begin with {prefix.replace('-', ' ')}; put a copy of it beside them."
    )
    return Terms(plain.license, (*plain.sentences, told), {"NOTICE": notice}, prefix)


def check_name(name: str, found: Terms) -> None:
    """Raise InputError where the base model's licence forbids this name."""
    if found.prefix and not name.lower().startswith(found.prefix.lower()):
        raise InputError(
            f"The licence of the base model asks that the name of the model, here {name}, begin "
            f"with {found.prefix}.",
            f"Export into a folder such as {found.prefix}-{name}.",
        )


def of_card(folder: Path) -> str | None:
    """The licence that the card of a local model names."""
    try:
        text = (folder / "README.md").read_text("utf-8")
        front = yaml.safe_load(text.split("---")[1]) if text.startswith("---") else {}
    except (OSError, ValueError, yaml.YAMLError):
        return None
    found = front.get("license") if isinstance(front, dict) else None
    return found if isinstance(found, str) else None


def _base_sentence(base: str, license_: str) -> str:
    if license_:
        return f"The base model, {base}, is under {license_}, and so are weights tuned from it."
    return f"The licence of the base model, {base}, is not known here: see its card."


def _data_sentence(data: Sequence[str]) -> str:
    if not data:
        return "The licences of the training data are not known here: ask its owners."
    named = ", ".join(sorted(set(data)))
    return f"The training data is under {named}; the strictest is {licences.strictest(data)}."


def _nc_sentence(restricted: Sequence[str]) -> str:
    named = ", ".join(sorted(set(restricted)))
    return f"Because of {named} the weights are not for commercial use."
