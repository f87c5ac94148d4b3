"""Engines: one file each, found by the URI scheme (``openai:``, ``embedded:``, ``replay:``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.models.base import EngineOptions, Model

NOT_PLUGINS = ("scheduler",)


def open_model(uri: str, options: EngineOptions) -> Model:
    """The engine of a URI such as ``openai:gpt-4o``. Raises InputError listing the known ones."""
    scheme, colon, spec = uri.partition(":")
    if not colon or not spec:
        known = ", ".join(content.module_names("models"))
        raise InputError(
            f"{uri!r} names no model.",
            f"Write SCHEME:NAME, for example openai:gpt-4o. Known schemes: {known}.",
        )
    opener = getattr(content.module("models", scheme), "open_model", None)
    if opener is None:
        raise InputError(
            f"The module of {scheme!r} has no function open_model.",
            "Define open_model(spec, options) in it; halubench/models/base.py says how.",
        )
    return cast("Model", opener(spec, options))
