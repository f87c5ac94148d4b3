"""Loads ``judges/*.yaml``: how an encoder is given a row, and which of its labels mean what."""

from __future__ import annotations

from fnmatch import fnmatch
from string import Formatter
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.records import Row

FIELDS = {"passage", "question", "answer"}


class Encoder(BaseModel):
    """One YAML file; ``judges/README.md`` says what each field is for.

    ``kind``: ``pair`` (one set of labels for premise and hypothesis) or ``tokens`` (labels for
    each token of the hypothesis). ``max_length`` in tokens, premise and hypothesis together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    kind: Literal["pair", "tokens"]
    model: str = ""
    """The repository or folder that ``hf-classifier:NAME`` loads."""
    models: tuple[str, ...] = ()
    """Repositories that this file is for, as patterns (``cross-encoder/nli-*``)."""
    pass_labels: tuple[str, ...] = Field(min_length=1)
    fail_labels: tuple[str, ...] = ()
    """Empty for a model with one output, whose sigmoid is the probability of PASS."""
    premise: str
    hypothesis: str
    max_length: int | None = Field(None, ge=16)
    threshold: float = Field(0.5, ge=0, le=1)
    source: str = ""

    @field_validator("premise", "hypothesis")
    @classmethod
    def _fields_are_known(cls, text: str) -> str:
        named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        if named - FIELDS or not named:
            raise ValueError("write {passage}, {question} or {answer}, and no other field")
        return text

    @model_validator(mode="after")
    def _tokens_are_of_the_answer(self) -> Encoder:
        if self.kind == "tokens" and (self.hypothesis != "{answer}" or not self.fail_labels):
            raise ValueError('of kind tokens the hypothesis is "{answer}" and has fail_labels')
        return self

    def texts(self, row: Row) -> tuple[str, str]:
        """Premise and hypothesis of a row."""
        values = {"passage": row.passage, "question": row.question, "answer": row.answer}
        return self.premise.format_map(values), self.hypothesis.format_map(values)

    def labels(self) -> set[str]:
        """The labels that mean something, in lower case."""
        return {label.lower() for label in (*self.pass_labels, *self.fail_labels)}


def named(name: str) -> Encoder | None:
    """The file of that name, a user's before the shipped one. Raises InputError for a bad file."""
    path = next((p for p in content.files("judges", ".yaml") if p.stem == name), None)
    return None if path is None else _load(path)


def fitting(model: str, labels: Sequence[str], tokens: bool) -> Encoder:
    """The file for a model that has none of its own name: one that lists it in ``models``, else
    one with the same labels, unless those are numbers only (``LABEL_0``), which say nothing.

    Raises InputError where there is none.
    """
    kind = "tokens" if tokens else "pair"
    known = [each for each in map(_load, content.files("judges", ".yaml")) if each.kind == kind]
    for each in known:
        if any(fnmatch(model, pattern) for pattern in each.models):
            return each
    for each in known:
        if each.labels() == {label.lower() for label in labels} and not any(map(_is_mute, labels)):
            return each
    raise InputError(
        f"{model} has the labels {', '.join(labels)}, and no file of judges/ says what they mean.",
        f"Name a file that does, hf-classifier:NAME@{model}; of this kind there are "
        f"{', '.join(each.name for each in known)}. judges/README.md says how to write one.",
    )


def _is_mute(label: str) -> bool:
    return label.upper().startswith("LABEL_")


def _load(path: Path) -> Encoder:
    try:
        found = Encoder.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}.", "See judges/README.md.") from error
    if found.name != path.stem:
        raise InputError(f"{path} holds the judge {found.name!r}.", "Name the file after it.")
    return found
