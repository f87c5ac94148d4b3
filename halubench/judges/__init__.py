"""Plug-ins: one file each, found by name. See halubench.content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.judges.base import Judge, JudgeOptions

NOT_PLUGINS = ("encoders", "lengths", "local", "modes", "overflow", "parse", "prompted")


def open_judge(uri: str, options: JudgeOptions) -> Judge:
    """The judge that ``uri`` (``SCHEME:SPEC``) names.

    A scheme that is an engine (``openai:``, ``embedded:`` ...) is that model behind the prompted
    judge. Raises InputError for an unknown scheme or a spec its module cannot use.
    """
    scheme, spec = _split(uri)
    if _is_one_of(scheme, "judges"):
        judge: Judge = content.module("judges", scheme).open_judge(spec, options)
        return judge
    from halubench.judges.prompted import PromptedJudge

    return PromptedJudge(uri, options)


def is_module(uri: str) -> bool:
    """Whether ``uri`` names a judge of its own, not a model behind a prompt.

    Raises InputError for an unknown scheme.
    """
    return _is_one_of(_split(uri)[0], "judges")


def expand(uri: str) -> list[str]:
    """The judges that ``uri`` stands for: itself, or several where its module offers
    ``expand(spec) -> list[str]`` (one recorded file may hold many judges).

    Raises InputError for an unknown scheme.
    """
    scheme, spec = _split(uri)
    if not _is_one_of(scheme, "judges"):
        return [uri]
    own = content.module("judges", scheme)
    return (
        [f"{scheme}:{single}" for single in own.expand(spec)] if hasattr(own, "expand") else [uri]
    )


def is_prompted(uri: str) -> bool:
    """Whether ``uri`` is a model behind a prompt of ``prompts/judge/``. Raises InputError."""
    return not _is_one_of(_split(uri)[0], "judges")


def _split(uri: str) -> tuple[str, str]:
    scheme, _, spec = uri.partition(":")
    if not spec or not (_is_one_of(scheme, "judges") or _is_one_of(scheme, "models")):
        known = sorted({*content.module_names("judges"), *content.module_names("models")})
        raise InputError(
            f"{uri!r} names no judge.",
            "Write SCHEME:NAME, for example openai:gpt-4o or baseline:length. Known schemes: "
            f"{', '.join(known).replace('_', '-')}.",
        )
    return scheme, spec


def _is_one_of(scheme: str, room: str) -> bool:
    return bool({scheme, scheme.replace("-", "_")} & set(content.module_names(room)))
