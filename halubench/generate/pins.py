"""The commits at which a recipe's Hub datasets are read: one for the whole life of a run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.reading import commit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.generate.recipe import Part, Recipe
    from halubench.run import RunFolder

FILE = "revisions.json"
"""What a run folder keeps: the commit of each Hub dataset that the recipe does not pin."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


def pinned(recipe: Recipe, files: Mapping[str, str], folder: RunFolder) -> Recipe:
    """The recipe with a commit for every part that is read from the Hub.

    Where the recipe names none, it is the one at which the run in this folder began, and for a new
    run the one that the Hub shows now. Raises InputError, MissingExtraError, OutputError.
    """
    path = folder.path / FILE
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found = {
        _asked(part): known.get(_asked(part)) or _now(part)
        for part in recipe.parts
        if part.name not in files and not _COMMIT.fullmatch(part.revision or "")
    }
    if found:
        folder.write_json(FILE, found)
    parts = (
        part.model_copy(update={"revision": found.get(_asked(part), part.revision)})
        for part in recipe.parts
    )
    return recipe.model_copy(update={"parts": tuple(parts)})


def unpinned(recipe: Recipe, exact: Recipe, files: Mapping[str, str]) -> list[str]:
    """One sentence with the commits that were read and are not in the recipe; none where all are."""
    told = [
        f"{now.hub} {now.revision}"
        for then, now in zip(recipe.parts, exact.parts, strict=True)
        if then.revision != now.revision and then.name not in files
    ]
    if not told:
        return []
    what = f"Not pinned in {recipe.name}.yaml and read at the newest commit: {', '.join(told)}."
    return [f"{what} Put each as `revision` into its part, and everybody reads the same."]


def _asked(part: Part) -> str:
    return f"{part.hub}@{part.revision or 'main'}"


def _now(part: Part) -> str:
    try:
        return commit_of(part.place)
    except InputError as error:
        remedy = f"{error.remedy} Stand in for it by --source-file {part.name}=FILE."
        raise InputError(error.what, remedy) from error
