"""Recipes of composition: which sources, how many rows of each label, made how. One YAML each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halubench import content
from halubench.errors import InputError
from halubench.reading import HubId

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "perturbations/recipes"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Strict):
    """One source of a recipe.

    ``how``: generate pairs out of its gold answers, or import its rows with their own labels.
    ``fields`` name where a row of the Hub dataset holds what (dots go into objects; of a list of
    answers the first counts, a list of passages is joined): passage, question, answer, id, and, to
    import, ``wrong`` (a hallucinated answer) or ``spans`` (marked spans: none means PASS). Without
    them the publisher's format is recognised. ``where`` keeps rows whose fields have these values.
    ``revision`` is a commit; without one, or with a branch or tag, a run reads what it finds there
    and tells the commit.
    """

    name: str
    source_ds: str
    how: Literal["generate", "import"]
    passed: int = Field(alias="pass", ge=0)
    failed: int = Field(alias="fail", ge=0)
    hub: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    fields: dict[str, str] = {}
    where: dict[str, str] = {}
    license: str
    note: str = ""

    @property
    def place(self) -> HubId:
        """The Hub dataset, as it is read."""
        return HubId(self.hub, self.revision, config=self.config)

    @property
    def origin(self) -> str:
        """The Hub dataset with its revision."""
        return f"hf:{self.hub}@{self.revision or 'main (not pinned)'}"

    @property
    def home(self) -> str:
        """Where the dataset can be found on the Hub."""
        return f"https://huggingface.co/datasets/{self.hub}"


class Recipe(_Strict):
    """One YAML of ``perturbations/recipes/``."""

    name: str
    title: str
    about: str
    control: Literal["restate", "none"]
    temperature: float | None = None
    splits: dict[str, float]
    parts: tuple[Part, ...]

    def rows(self) -> tuple[int, int]:
        """PASS and FAIL rows wanted."""
        return sum(one.passed for one in self.parts), sum(one.failed for one in self.parts)


def load(name: str) -> Recipe:
    """The recipe of that name, a user's before the shipped one.

    Raises InputError naming the file and the key that is wrong.
    """
    path = content.find(f"{FOLDER}/{name}.yaml")
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from error
    except ValidationError as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: ValidationError) -> InputError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return InputError(f"{path}: {where}: {first['msg']}.", "See perturbations/README.md.")
