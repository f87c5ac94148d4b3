"""Answers as the journal keeps them."""

from __future__ import annotations

from dataclasses import fields

import orjson

from halubench.models.base import Completion
from halubench.run import to_json


def write_payload(completion: Completion) -> str:
    """What the journal keeps of an answer."""
    return to_json({name: getattr(completion, name) for name in _KEPT}).decode()


def read_payload(payload: str) -> Completion:
    """The answer that :func:`write_payload` kept, marked ``cached``; its cost is what it once was."""
    kept = orjson.loads(payload)
    pairs = tuple((str(token), float(value)) for token, value in kept.pop("first_logprobs"))
    return Completion(**kept, first_logprobs=pairs, cached=True)


_KEPT = [field.name for field in fields(Completion) if field.name not in ("cached", "quota")]
