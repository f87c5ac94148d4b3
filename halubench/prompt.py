"""Prompts are Jinja2 files under ``prompts/``, rendered in a sandbox and known by their hash."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    meta,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_ROLE = re.compile(
    r"^\{#-?[ \t]*role:[ \t]*(system|user|assistant)[ \t]*-?#\}[ \t]*$", re.MULTILINE
)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes one anew each time


def _tojson(value: object, **how: Any) -> str:  # noqa: ANN401
    """Jinja's own is made for HTML: a model would be shown ``Hamilton\\u0027s``."""
    return json.dumps(value, ensure_ascii=False, **how) if how else _encode(value)


_ENVIRONMENT.filters["tojson"] = _tojson


@dataclass(frozen=True)
class Prompt:
    """A template in one or more chat roles, split by lines such as ``{# role: system #}``.

    The file is split before it is rendered, so a substituted value can create neither a role nor
    template code. ``hash`` is the first 16 hex digits of the sha256 of the file's text;
    ``variables`` are the names that it uses.
    """

    path: Path
    hash: str
    variables: frozenset[str]
    parts: tuple[tuple[str, Template], ...]

    def messages(self, **values: object) -> tuple[tuple[str, str], ...]:
        """The rendered (role, content) pairs. Raises InputError naming a missing variable."""
        try:
            return tuple((role, part.render(values).strip("\n")) for role, part in self.parts)
        except UndefinedError as error:
            given = f"Given are: {', '.join(sorted(values)) or 'none'}."
            raise InputError(f"{self.path}: {error.message}.", given) from error
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise InputError(f"{self.path} cannot be rendered: {error}.", _EDIT) from error


_EDIT = "Correct the template."


def load_prompt(kind: str, name: str) -> Prompt:
    """Load ``prompts/KIND/NAME.jinja``, a user's file before the shipped one.

    Raises InputError when there is none, or naming file and line of a syntax error.
    """
    path = content.find(f"prompts/{kind}/{name}.jinja")
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text ({error}).", _EDIT) from error
    try:
        parts = tuple((role, _compiled(text)) for role, text in _split(path, source))
        variables = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
    except TemplateSyntaxError as error:
        complaint = str(error.message).rstrip(".")
        raise InputError(f"{path}, line {error.lineno}: {complaint}.", _EDIT) from error
    digest = sha256(source.encode()).hexdigest()[:16]
    return Prompt(path, digest, frozenset(variables), parts)


def _compiled(text: str) -> Template:
    template = _ENVIRONMENT.from_string(text)
    template.globals = dict(template.globals)  # copied for every row; a chain of maps takes longer
    return template


def _split(path: Path, source: str) -> list[tuple[str, str]]:
    """(role, template text) pairs; each text keeps its line numbers by leading empty lines."""
    marks = list(_ROLE.finditer(source))
    if not marks:
        return [("user", source)]
    if _COMMENT.sub("", source[: marks[0].start()]).strip():
        raise InputError(f"{path} has text before its first role line.", _EDIT)
    ends = [*(mark.start() for mark in marks[1:]), len(source)]
    return [
        (mark.group(1), "\n" * source.count("\n", 0, mark.end()) + source[mark.end() : end])
        for mark, end in zip(marks, ends, strict=True)
    ]
