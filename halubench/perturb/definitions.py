"""Loads ``perturbations/*.yaml``: what each perturbation is, where it applies, how code makes it."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from halubench import content
from halubench.errors import InputError
from halubench.text import digest

if TYPE_CHECKING:
    from pathlib import Path

Domain = Literal["finance", "medical", "general"]
SiteKind = Literal["number", "percent", "money", "year", "date", "name", "answer", "word"]
Operator = Literal[
    "swap", "row", "column", "label", "exchange", "shift", "operand", "operation", "scale", "sign", "flip",
    "conclusion", "choice",
]  # fmt: skip
Level = Literal["L1", "L2", "L3"]
Check = Literal["value", "unit", "name", "word", "jury"]
Relation = Literal["contradiction", "addition", "fabricated reference", "overclaim"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """How code makes the edit, exactly and offline; ``perturbations/README.md`` says what each
    ``operator`` puts there and which of these fields it reads."""

    operator: Operator
    sites: tuple[SiteKind, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    """Pairs that are each other's opposite, in the same inflection."""
    twins: dict[str, str] = {}
    """Label-keeping synonyms of words in those pairs."""
    in_passage: bool = False
    """flip only a word that the passage itself uses."""
    near: tuple[str, ...] = ()
    """Words of which one must stand by the site (empty: any): before a name that is swapped,
    between two spans that are exchanged, in the question that offers a choice."""
    endings: tuple[str, ...] = ()
    """Endings of the words that are swapped, such as "vir" of antiviral drugs: each names a kind."""
    units: tuple[str, ...] = ()
    """Only values with one of these units, or that count one of these things (empty: any)."""


class Example(_Strict):
    """A worked example: executed by ``halubench perturbations check`` where there is a rule."""

    passage: str
    question: str
    answer: str
    fail: str
    change: str


class Perturbation(_Strict):
    """One YAML file. See ``perturbations/README.md`` for how to add one."""

    name: str
    title: str
    definition: str
    relation: Relation
    domains: tuple[Domain, ...]
    guidance: str
    """The legal edit, as a model is told it."""
    levels: tuple[Level, ...] = ()
    """How hidden the error can be: L1 its value is not in the passage, L2 it stands there of
    something else, L3 seeing it takes several sentences, a table cell or arithmetic."""
    twin: str = ""
    """The edit of the same kind at the same site that keeps the PASS answer right."""
    check: Check = "jury"
    """What code tests of each edit beyond the common gate; jury: nothing, only a reader can tell."""
    quota: float = 1.0
    """Largest share of a source's pairs that may be of this type."""
    rule: Rule | None = None
    examples: tuple[Example, ...]

    @cached_property
    def hash(self) -> str:
        """16 hex digits over the whole definition."""
        return digest(self.model_dump_json())[:16]

    @cached_property
    def told(self) -> dict[str, Any]:
        """The whole definition, as a prompt is given it."""
        return self.model_dump()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Who can make it: "rule" where it has one, and always "prompt"."""
        return ("rule", "prompt") if self.rule else ("prompt",)


def load_all() -> dict[str, Perturbation]:
    """Every perturbation by name, a user's file hiding a shipped namesake.

    Raises InputError naming the file and the key that is wrong.
    """
    return {p.name: p for p in map(load, content.files("perturbations", ".yaml"))}


def for_model(*, read: bool) -> dict[str, Perturbation]:
    """Those that a model may be asked for: what only a reader can check, only where a jury reads."""
    return {name: one for name, one in load_all().items() if read or one.check != "jury"}


def find(name: str) -> Perturbation | None:
    """The perturbation of that name; None where there is no such file."""
    for root in content.roots():
        path = root / "perturbations" / f"{name}.yaml"
        if path.is_file():
            return load(path)
    return None


def load(path: Path) -> Perturbation:
    """One perturbation. Raises InputError naming the file and the key that is wrong."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> Perturbation:  # noqa: ARG001  (a changed file is another key)
    try:
        found = Perturbation.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"{path}: {where}: {first['msg']}.", "See perturbations/README.md."
        ) from error
    if found.name != path.stem:
        raise InputError(
            f"{path} holds the perturbation {found.name!r}.", "Name the file after it."
        )
    return found
