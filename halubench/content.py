"""Finds what people edit and add: perturbations, prompts, recipes, results, samples, modules.

Lookup order: folders given with ``--content``, then ``./halubench.d``, then the shipped content
(``halubench/_content`` in a wheel, the repository root in a checkout).
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint
    from types import ModuleType

_PACKAGE = Path(__file__).parent
SHIPPED = _PACKAGE / "_content" if (_PACKAGE / "_content").is_dir() else _PACKAGE.parent
LOCAL = Path("halubench.d")
_extra: list[Path] = []


def add_folder(folder: Path) -> None:
    """Look in ``folder`` before all others. Raises InputError when it is no folder."""
    if not folder.is_dir():
        raise InputError(f"The content folder {folder} does not exist.", "Check --content.")
    _extra.insert(0, folder)


def roots() -> list[Path]:
    """All content folders, the user's own first."""
    return [*_extra, *([LOCAL] if LOCAL.is_dir() else []), SHIPPED]


def find(relative: str) -> Path:
    """The first file of that path, such as ``prompts/judge/lynx.jinja``.

    Raises InputError naming what there is instead.
    """
    for root in roots():
        if (root / relative).exists():
            return root / relative
    folder = Path(relative).parent
    known = sorted({path.stem for path in files(str(folder), Path(relative).suffix)})
    raise InputError(
        f"There is no {relative} in {', '.join(str(root) for root in roots())}.",
        f"Known in {folder}: {', '.join(known) or 'none'}.",
    )


def files(folder: str, suffix: str) -> Iterator[Path]:
    """Every file of ``folder`` with ``suffix``, by name, a user's file hiding a shipped namesake."""
    found: dict[str, Path] = {}
    for root in roots():
        for path in (root / folder).glob(f"*{suffix}"):
            found.setdefault(path.name, path)
    yield from (found[name] for name in sorted(found))


def module(room: str, name: str) -> ModuleType:
    """The module ``name`` of a room (``sources``, ``models``, ``judges``).

    Looked up as ``ROOM/NAME.py`` in the user's content folders, then ``halubench.ROOM.NAME``,
    then the entry point group ``halubench.ROOM``. Raises InputError with the known names.
    """
    slug = name.replace("-", "_")
    for root in roots()[:-1]:
        path = root / room / f"{slug}.py"
        if path.is_file():
            return _load(path, f"halubench_d.{room}.{slug}")
    if slug in shipped_modules(room):
        return importlib.import_module(f"halubench.{room}.{slug}")
    if name in installed(room):
        loaded: ModuleType = installed(room)[name].load()
        return loaded
    raise InputError(
        f"{name!r} is not one of the known {room}.", f"Known: {', '.join(module_names(room))}."
    )


def module_names(room: str) -> list[str]:
    """The names :func:`module` would find, user's and installed ones included."""
    own = {p.stem for root in roots()[:-1] for p in (root / room).glob("*.py")}
    return sorted({*own, *installed(room), *shipped_modules(room)})


@cache
def installed(room: str) -> dict[str, EntryPoint]:
    """The entry points of ``halubench.ROOM``; once, as the metadata of every package is read."""
    return {entry.name: entry for entry in entry_points(group=f"halubench.{room}")}


def shipped_modules(room: str) -> list[str]:
    """Modules of ``halubench.ROOM`` that are plug-ins: all but ``base`` and underscored ones."""
    names = (info.name for info in pkgutil.iter_modules([str(_PACKAGE / room)]))
    hidden = {"base", *getattr(importlib.import_module(f"halubench.{room}"), "NOT_PLUGINS", ())}
    return [name for name in names if name not in hidden and not name.startswith("_")]


def _load(path: Path, qualified: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(qualified, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be loaded as a Python module.", "Rename it to NAME.py.")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[qualified] = loaded  # dataclasses look their module up here
    try:
        spec.loader.exec_module(loaded)
    except (ImportError, SyntaxError) as error:
        raise InputError(f"{path} cannot be loaded: {error}.", "Mend the module.") from error
    return loaded
