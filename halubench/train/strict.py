"""Reads YAML strictly: an unknown key at any depth, or one given twice, is an error with advice."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBER_AS_TEXT = re.compile(r"([+-]?\d+)(e[+-]?\d+)", re.IGNORECASE)


class Strict(BaseModel):
    """A part of a file: no key but its own, no value of another type, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


S = TypeVar("S", bound=Strict)


def read(path: Path, model: type[S], table: str) -> S:
    """The file as ``model``; ``table`` is where a reader finds the fields explained.

    Raises InputError naming the file and the dotted key that is wrong.
    """
    return checked(path, model, parse(path), table)


def checked(path: Path, model: type[S], found: object, table: str) -> S:
    """What :func:`parse` read as ``model``; raises as :func:`read`."""
    try:
        return model.model_validate_json(as_json(found))
    except ValidationError as error:
        raise _input_error(path, model, error, table) from error
    except ValueError as error:  # an alias inside itself
        raise InputError(f"{path} cannot be read: {error}.") from error


def as_json(found: object) -> str:
    """Text for pydantic: in JSON strict validation takes a list for a tuple and nothing else."""
    return json.dumps(found, default=str)


def parse(path: Path) -> object:
    """The YAML of a file, each key once. Raises InputError naming the file."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>",', "at")
        raise InputError(f"{path} is not valid YAML: {said}.", "Correct it there.") from error
    except (OSError, ValueError) as error:  # no such file, not UTF-8
        raise InputError(f"{path} cannot be read: {error}.") from error


def keys(model: type[BaseModel]) -> list[str]:
    """Every key that a file may have, dotted, in the order of the fields."""
    return list(_walk(model, ""))


def suggest(model: type[BaseModel], key: str) -> str:
    """`` Did you mean X?`` for an unknown dotted key, or nothing where no known one is near."""
    name = key.rpartition(".")[2]
    anywhere = {known.rpartition(".")[2]: known for known in reversed(keys(model))}
    for names, cutoff in ((_siblings(model, key), 0.6), (anywhere, 0.8)):
        for near in difflib.get_close_matches(name, names, 1, cutoff):
            return f" Did you mean {names[near]}?"
    return ""


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) for every value below the mappings."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key given twice, of which plain YAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name} is given twice", key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _input_error(
    path: Path, model: type[BaseModel], error: ValidationError, table: str
) -> InputError:
    """About the first unknown key if there is one: it is often why another one is missing."""
    faults = error.errors(include_url=False)
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    key = ".".join(str(part) for part in fault["loc"])
    remedy = f"See the field table in {table}."
    if fault["type"] == "extra_forbidden":
        plain = ".".join(part for part in fault["loc"] if isinstance(part, str))
        remedy = f"Known there: {', '.join(_siblings(model, plain))}."
        return InputError(f"{path}: {key} is not a known key.{suggest(model, plain)}", remedy)
    given = fault["input"]
    number = _NUMBER_AS_TEXT.fullmatch(given) if isinstance(given, str) else None
    if number:
        remedy = f"YAML reads {given} as text: write {number[1]}.0{number[2]}."
    said = fault["msg"].removeprefix("Value error, ").rstrip(".")
    end = "" if said.endswith("?") else "."
    return InputError(": ".join(part for part in (str(path), key, said) if part) + end, remedy)


def _siblings(model: type[BaseModel], key: str) -> dict[str, str]:
    """The dotted keys beside a dotted key, by their last part."""
    parent = key.rpartition(".")[0]
    return {k.rpartition(".")[2]: k for k in keys(model) if k.rpartition(".")[0] == parent}


def _walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for nested in _models(field.annotation):
            yield from _walk(nested, f"{prefix}{name}.")


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
