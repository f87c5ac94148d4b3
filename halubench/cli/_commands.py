"""Makes commands of modules: one file a command."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable


def register(app: typer.Typer, package: str, path: Iterable[str]) -> None:
    """Add every module of ``package`` that is not underscored: its ``command`` under the module's
    name, or its ``app`` as a command that has commands of its own."""
    for info in pkgutil.iter_modules(path):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        name = info.name.removesuffix("_").replace("_", "-")
        group = getattr(module, "app", None)
        if isinstance(group, typer.Typer):
            app.add_typer(group, name=name)
            continue
        told = (module.command.__doc__ or "").partition("\n")[0]
        app.command(name=name, short_help=told)(module.command)
