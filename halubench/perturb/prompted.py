"""Edits that a model proposes and code applies: the model never writes an answer.

Code finds the editable spans, picks the perturbation and names the spans in a JSON schema; the
model fills in what should stand there, with a quote that code looks up in the passage. A model whose
proposal did not serve is asked again, with edits to choose from where a rule can make some, so that
small models can comply as well. The edit is then made at the exact span. The PASS twin is edited
too where code can tell that the model's other wording says the same, or where a jury will read it;
else it stays as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from halubench import values
from halubench.models.base import Request, Sampling
from halubench.perturb import ground, rules
from halubench.perturb.base import Site
from halubench.perturb.ground import Ground
from halubench.perturb.operators import OPERATORS
from halubench.perturb.sites import find
from halubench.text import normalise, squeeze, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation
    from halubench.prompt import Prompt
    from halubench.records import Candidate, Json

TEMPERATURES = (0.0, 0.7, 1.0)
"""One a try: an item is asked about at most this often before the audit has a say."""
MAX_TOKENS = 300
_VALUES = ("number", "percent", "money", "year", "date")
_ROOM = 16
"""Characters by which a replacement may be longer than the longest span."""


@dataclass(frozen=True, slots=True)
class Task:
    """One perturbation to be made at one of ``sites``, which all have it as a legal one."""

    statement: Statement
    perturbation: Perturbation
    sites: tuple[Site, ...]
    sample: int = 0
    choices: tuple[Candidate, ...] = ()
    """Edits at one site to choose from; empty: the model proposes its own."""
    banned: tuple[str, ...] = ()
    """Words that no edit may use: so far they tell the label."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model is asked. ``temperature``: of every try; None: :data:`TEMPERATURES`, one a try."""

    seed: int = 0
    temperature: float | None = None

    def sampling(self, sample: int) -> Sampling:
        """The decoding of that try."""
        last = len(TEMPERATURES) - 1
        chosen = TEMPERATURES[min(sample, last)] if self.temperature is None else self.temperature
        return Sampling(chosen, max_tokens=MAX_TOKENS, seed=self.seed)


def offer(task: Task, edits: Sequence[Candidate]) -> Task:
    """The task with the edits of one site to choose from; unchanged where there are none."""
    first = edits[0].fail_edit if edits else None
    here = {
        one.fail_edit.new: one
        for one in edits
        if first and (one.fail_edit.start, one.base) == (first.start, edits[0].base)
    }
    return replace(task, choices=tuple(here.values()))


class Choice(BaseModel):
    """What the model answers where it has edits to choose from."""

    new_fail: str


class Proposal(BaseModel):
    """What the model answers: the span it chose and what should stand there in either twin."""

    old: str
    new_fail: str
    new_pass: str
    evidence: str
    change_made: str


def legal(
    statement: Statement, perturbations: Iterable[Perturbation]
) -> dict[str, tuple[Site, ...]]:
    """The sites of the statement by the name of each perturbation that may be made there."""
    spans = find(statement)
    found = {
        one.name: _sites(statement, spans, one)
        for one in perturbations
        if statement.item.domain in one.domains
    }
    return {name: places for name, places in found.items() if places}


def _sites(
    statement: Statement, spans: Sequence[Site], perturbation: Perturbation
) -> tuple[Site, ...]:
    """The spans of the kinds that the rule names, else those at which it would edit by itself."""
    rule = perturbation.rule
    if rule is None or rule.sites:
        return tuple(site for site in spans if _fits(site, perturbation))
    ground = Ground(statement, Random(0))  # noqa: S311
    edits = OPERATORS[rule.operator](ground, rule)
    places = dict.fromkeys((edit.start, edit.end) for edit in edits)
    return tuple(Site(start, end, statement.text[start:end], "word") for start, end in places)


def tasks(statement: Statement, perturbations: Mapping[str, Perturbation]) -> Iterator[Task]:
    """The first try of each perturbation that the statement allows."""
    for name, sites in legal(statement, perturbations.values()).items():
        yield Task(statement, perturbations[name], sites)


def _fits(site: Site, perturbation: Perturbation) -> bool:
    rule = perturbation.rule
    if rule is None:
        return True
    unit = words(site.text)[-1:]
    return site.kind in rule.sites and (not rule.units or set(unit) <= set(rule.units))


def request(task: Task, prompt: Prompt, manner: Manner) -> Request:
    """The request for one try."""
    item = task.statement.item
    messages = prompt.messages(
        passage=item.passage,
        question=item.question,
        statement=task.choices[0].base if task.choices else task.statement.text,
        spans=_spans(task),
        choices=[one.fail_edit.new for one in task.choices],
        perturbation=task.perturbation.told,
        banned=task.banned,
    )
    return Request(messages, manner.sampling(task.sample), _schema(task), sample=task.sample)


def _spans(task: Task) -> list[str]:
    if task.choices:
        return [task.choices[0].fail_edit.old]
    return list(dict.fromkeys(site.text for site in task.sites))


def _schema(task: Task) -> Mapping[str, Json]:
    if task.choices:
        choices: list[Json] = [one.fail_edit.new for one in task.choices]
        return _object({"new_fail": {"type": "string", "enum": choices}})
    spans = _spans(task)
    longest = max(len(span) for span in spans) + _ROOM
    text: dict[str, Json] = {"type": "string", "minLength": 1, "maxLength": longest}
    return _object(
        {
            "old": {"type": "string", "enum": [*spans]},
            "new_fail": text,
            "new_pass": text,
            "evidence": {"type": "string", "maxLength": 120},
            "change_made": {"type": "string", "maxLength": 100},
        }
    )


def _object(fields: dict[str, Json]) -> Mapping[str, Json]:
    return {
        "type": "object",
        "properties": fields,
        "required": [*fields],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Author:
    """Who proposes, for the provenance. ``read``: a jury will read both answers, so that a PASS edit
    may stand although code cannot tell that it says the same."""

    generator: str
    prompt_hash: str = ""
    read: bool = False


def apply(task: Task, answer: str, author: Author) -> Candidate | str:
    """The pair that the model's answer makes, or the reason why it makes none."""
    made = _chosen(task, answer) if task.choices else _own(task, answer, read=author.read)
    if isinstance(made, str):
        return made
    if said := telling(made, task.banned):
        return f"model: edit uses a word that tells the label ({said})"
    return replace(made, generator=author.generator, prompt_hash=author.prompt_hash)


def telling(candidate: Candidate, banned: Iterable[str]) -> str:
    """The first banned word or word pair that the FAIL edit puts into the answer; empty: none."""
    new, old = candidate.fail_edit.new, candidate.fail_edit.old
    return next((word for word in banned if _holds(new, word) and not _holds(old, word)), "")


def _chosen(task: Task, answer: str) -> Candidate | str:
    choice = read_reply(answer, Choice)
    if isinstance(choice, str):
        return choice
    offered = {one.fail_edit.new: one for one in task.choices}
    return offered.get(choice.new_fail, "model: names no edit that was offered")


def _own(task: Task, answer: str, *, read: bool) -> Candidate | str:
    proposal = read_reply(answer, Proposal)
    if isinstance(proposal, str):
        return proposal
    site = next((site for site in task.sites if site.text == proposal.old), None)
    if site is None:
        return "model: names no span that was offered"
    passage = task.statement.item.passage
    fail = _like(site.text, proposal.new_fail)
    stated = _holds(passage, fail)
    if fault := _fault(site, fail, task.perturbation):
        return fault
    shown = [text for one in task.perturbation.examples for text in (one.answer, one.fail)]
    if not stated and any(_holds(text, fail) for text in shown):
        return "model: FAIL edit is copied from a worked example"
    evidence = quoted(proposal.evidence, passage)
    if not evidence:
        return "model: evidence is not a quote from the passage"
    twin = _twin(site, _like(site.text, proposal.new_pass), task.perturbation)
    if twin is None and read:
        twin = _reworded(site, _like(site.text, proposal.new_pass), fail)
    edit = ground.Proposal(
        start=site.start,
        end=site.end,
        fail=fail,
        level="L2" if stated else "L1",
        change=squeeze(proposal.change_made),
        twin=twin,
        evidence=evidence,
    )
    return rules.candidate(task.statement, task.perturbation, edit)


Shape = TypeVar("Shape", bound=BaseModel)


def read_reply(answer: str, shape: type[Shape]) -> Shape | str:
    """The first JSON object of a reply, or why it is none of that shape."""
    start = answer.find("{")
    try:
        found, _ = json.JSONDecoder().raw_decode(answer, max(start, 0))
        return shape.model_validate(found)
    except json.JSONDecodeError:
        return "model: answer is not JSON"
    except ValidationError as error:
        first = error.errors()[0]
        return f"model: answer has no usable {'.'.join(map(str, first['loc'])) or 'object'}"


def _holds(text: str, part: str) -> bool:
    return f" {normalise(part)} " in f" {normalise(text)} "


def _fault(site: Site, fail: str, perturbation: Perturbation) -> str | None:
    """Why the FAIL edit may not be false, as far as code can tell; None when it is."""
    if fail == site.text:
        return "model: FAIL edit changes nothing"
    old, new = values.find(site.text), values.find(fail)
    if site.kind in _VALUES:
        if len(old) != 1 or len(new) != 1 or new[0].kind != old[0].kind:
            return f"model: FAIL edit is not one {site.kind}"
        if not _same_form(old[0], new[0], perturbation):
            return "model: FAIL edit changes the unit or magnitude"
        return "model: FAIL edit keeps the value" if values.close(old[0], new[0]) else None
    mine, theirs = set(words(site.text)), set(words(fail))
    return "model: FAIL edit may mean the same" if mine <= theirs or theirs <= mine else None


def _same_form(old: values.Value, new: values.Value, perturbation: Perturbation) -> bool:
    """Whether unit and magnitude stand, the one that the perturbation is about excepted."""
    scaled = perturbation.rule is not None and perturbation.rule.operator == "scale"
    same_unit = old.unit.removesuffix("s") == new.unit.removesuffix("s")
    return same_unit and (scaled or old.magnitude == new.magnitude)


def _twin(site: Site, new: str, perturbation: Perturbation) -> str | None:
    """The PASS edit, where code can tell that it says the same; else the true text stays."""
    twins = perturbation.rule.twins if perturbation.rule else {}
    if new.lower() == twins.get(site.text.lower()):
        return new
    old, said = values.find(site.text), values.find(new)
    if new == site.text or len(old) != 1 or len(said) != 1:
        return None
    whole = (said[0].start, said[0].end) == (0, len(new))
    return new if whole and values.same(old[0], said[0]) else None


_NEGATION = re.compile(r"\b(?:not|no|non|never|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)


def _reworded(site: Site, new: str, fail: str) -> str | None:
    """The PASS edit in other words, as far as code can tell nothing against it."""
    if site.kind in _VALUES or values.find(site.text) or values.find(new):
        return None
    apart = set(words(new)) - set(words(site.text))
    wrong = set(words(fail)) - set(words(site.text))
    if not apart or apart & wrong or _NEGATION.search(f"{site.text} {new}"):
        return None
    return new


def _like(old: str, new: str) -> str:
    """The new text in one line, with the capital letter that the old one starts with."""
    new = squeeze(new)
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def quoted(evidence: str, passage: str) -> str:
    """The quote as it was given, in one line, if the passage holds its words; else empty."""
    quote = squeeze(evidence)
    return quote if words(quote) and _holds(passage, quote) else ""
