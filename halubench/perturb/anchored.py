"""Anchoring by a model: gold answers that code cannot find in their passage, put into one sentence.

The model says whether the passage supports the answer, quotes the place, and writes the sentence.
Code looks up the quote in the passage, the answer in the sentence, and holds the sentence to the
words and numbers of question, answer and passage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel

from halubench import values
from halubench.models.base import Request, Sampling
from halubench.perturb.base import Statement
from halubench.perturb.prompted import quoted, read_reply
from halubench.records import Rejected
from halubench.text import sentences, squeeze, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.prompt import Prompt
    from halubench.records import Item, Json

MAX_TOKENS = 300
LONGEST = 60
"""Words of a statement, at most."""
MIN_COVERAGE = 0.75
"""Least share of the statement's longer words that question, answer or passage have."""
_LONG_WORD = 4

SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "quote": {"type": "string"},
        "supported": {"type": "boolean"},
        "statement": {"type": "string"},
    },
    "required": ["quote", "supported", "statement"],
    "additionalProperties": False,
}


class Anchoring(BaseModel):
    """What the model answers."""

    quote: str
    supported: bool
    statement: str


def request(item: Item, prompt: Prompt, seed: int) -> Request:
    """The request for one item: greedy."""
    answer = squeeze(item.answer)
    messages = prompt.messages(passage=item.passage, question=item.question, answer=answer)
    return Request(messages, Sampling(max_tokens=MAX_TOKENS, seed=seed), SCHEMA)


def apply(item: Item, reply: str) -> Statement | Rejected:
    """The statement of a reply, or why there is none."""
    said = read_reply(reply, Anchoring)
    if isinstance(said, str):
        return _rejected(item, said)
    if not said.supported:
        return _rejected(item, "model: the passage does not support the answer")
    if not quoted(said.quote, item.passage):
        return _rejected(item, "model: evidence is not a quote from the passage")
    text = squeeze(said.statement)
    place = re.search(rf"(?<!\w){re.escape(_bare(item.answer))}(?!\w)", text, re.IGNORECASE)
    if place is None:
        return _rejected(item, "model: statement does not hold the answer")
    fault = _fault(item, text)
    return _rejected(item, fault) if fault else Statement(item, text, *place.span())


def _rejected(item: Item, reason: str) -> Rejected:
    return Rejected(item.source_ds, item.id, "anchor", reason)


def _bare(answer: str) -> str:
    return squeeze(answer).rstrip(" .;,")


def _fault(item: Item, text: str) -> str:
    """What speaks against the statement, as far as code can tell; empty: nothing."""
    if len(sentences(text)) != 1 or len(words(text)) > LONGEST or not text.endswith("."):
        return "model: statement is not one sentence"
    given = f"{item.question} {item.answer} {item.passage}"
    known = values.find(given)
    if not all(any(values.close(one, other) for other in known) for one in values.find(text)):
        return "model: statement holds a number of its own"
    told = {word for word in words(text) if len(word) >= _LONG_WORD}
    if len(told & set(words(given))) < MIN_COVERAGE * len(told):
        return "model: statement says more than the passage"
    return ""
