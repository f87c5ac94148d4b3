"""A statement with what its passage offers, and what an operator proposes about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random  # noqa: TC003
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import arithmetic, restate, sites

if TYPE_CHECKING:
    from halubench.perturb.arithmetic import Formula
    from halubench.perturb.base import Site, Statement
    from halubench.values import Value

MOST = 3
"""Proposals an operator makes at one site, at most."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """FAIL puts ``fail`` at ``text[start:end]``; PASS puts ``twin`` there (None: leaves it)."""

    start: int
    end: int
    fail: str
    level: str
    change: str
    twin: str | None = None
    evidence: str = ""

    def shown(self, evidence: str) -> Proposal:
        """The same proposal with what the passage says."""
        return replace(self, evidence=evidence)


_RANGE_END = re.compile(r"\d[%\w]*(?:\s?[a-zµ%/]{1,7})?\s?(?:-|–|to)\s?$|\d%?,?\s(?:and|or)\s$")
_YEAR_ASKED = re.compile(r"(?:FY|Q[1-4] |\b)'?((?:19|20)\d\d)\b|FY'?(\d\d)\b")
_RANGE_START = re.compile(r"-\s(?:and|or|to)\s|\s?(?:-|–|to|and|or)\s?[$€£]?\d")
_COMPARES = re.compile(
    r"\bfrom\b[^.;]*\d[^;]*\bto\b[^.;]*\d|\bto\b[^.;]*\d[^;]*\bfrom\b[^.;]*\d|\d[^;]*\bthan\b[^.;]*\d"
)
_MARKER = re.compile(r"[(\[]\d{1,2}[)\]]|(?:^|[;:.] )\d{1,2}\. ")
"""A list number "(2)" or "2. ", or a citation "[7]"."""
_NAMED = re.compile(
    r"(?<![.?!\"] )\b(?!(?:In|Of|At|About|After|For|Over|By|With|From|To|And|Only|All)\b)[A-Z][a-z]+ $"
)
"""What stands before a number that is part of a name ("Adenovirus 5")."""
_CODES = re.compile(r"\b\d+-?[A-Z]+\b")
"""A code such as "777X": the numbers listed with it are names too."""
_BETWEEN = re.compile(r"\bbetween (?:[^.;]{1,40} and )?(?:[$€£] ?)?$", re.IGNORECASE)
_CITED = re.compile(r"(?:\bet al\.?|(?:[&;]|\band) ?\w+|\(\w+),?\s*$")
"""What stands before the year of a reference: "(Hashiguchi et al., 2010)"."""
_LEVEL = re.compile(r"\s*(?:CI\b|confidence|credible|-CI\b)")
"""What follows a confidence level ("95% CI")."""


def compares(text: str) -> bool:
    """Whether two values are set against each other ("to 0.11% from 0.14%"; years do not count):
    an edit of one, or of the word between, would contradict what stands beside it."""
    return bool(_COMPARES.search(re.sub(r"\b(?:19|20)\d\d\b", "", text)))


@dataclass(frozen=True)
class Ground:
    """A statement with what its passage offers, found once for all operators."""

    statement: Statement
    random: Random
    passage_values: tuple[Value, ...] = ()

    @cached_property
    def sites(self) -> list[Site]:
        """The editable spans."""
        return sites.find(self.statement)

    @cached_property
    def site_values(self) -> list[Value]:
        """The values that stand inside the statement's answer."""
        statement = self.statement
        numeric = restate.is_numeric(statement.text[statement.start : statement.end])
        return [
            value
            for value in values.find(statement.text)
            if statement.start <= value.start
            and value.end <= statement.end
            and (
                numeric
                or value.text[0].isdigit()
                or value.text[0] in "$€£-("
                or value.kind == "date"
            )
            and not self._in_range(value)
            and not self.is_asked(value)
        ]

    def _in_range(self, value: Value) -> bool:
        """Whether the value is one end of a range or list ("5 to 7"), or a confidence level."""
        before, after = self.statement.text[: value.start], self.statement.text[value.end :]
        return bool(
            _RANGE_END.search(before)
            or _RANGE_START.match(after)
            or _LEVEL.match(after)
            or _MARKER.search(self.statement.text[max(0, value.start - 2) : value.end + 2])
            or (value.kind == "number" and not value.unit and _NAMED.search(before[-30:]))
            or _CODES.search(before[-12:] + " " + after[:12])
            or _BETWEEN.search(before[-60:])
            or compares(self._around(value))
            or (value.kind == "year" and _CITED.search(before[-30:]))
        )

    def _around(self, value: Value) -> str:
        """The answer's text near a value, without the frame."""
        first = max(self.statement.start, value.start - 80)
        return self.statement.text[first : min(self.statement.end, value.end + 80)]

    def is_asked(self, value: Value) -> bool:
        """Whether the question itself gives the value: then it is no part of what is answered."""
        question = self.statement.item.question
        years = {int(full or "20" + short) for full, short in _YEAR_ASKED.findall(question)}
        return int(value.amount) in years or any(
            values.same(value, v) for v in values.find(question)
        )

    @cached_property
    def barred(self) -> list[Value]:
        """Values that must not become the wrong answer: the golds' and the question's."""
        item = self.statement.item
        texts = [item.answer, item.question, *item.aliases, self.statement.text]
        return [value for text in texts for value in values.find(text)]

    @cached_property
    def passage_names(self) -> dict[str, frozenset[str]]:
        """Distinct names of the passage with the words that stand before them."""
        return sites.proper_names(self.statement.item.passage)

    def formulas(self, value: Value) -> list[Formula]:
        """The calculations over the passage's numbers that come to the value."""
        if value not in self._formulas:
            self._formulas[value] = arithmetic.formulas(value, self.statement.item)
        return self._formulas[value]

    @cached_property
    def _formulas(self) -> dict[Value, list[Formula]]:
        return {}

    def in_passage(self, value: Value) -> bool:
        """Whether the passage holds this value in any spelling or rounding."""
        return any(values.close(value, other) for other in self.passage_values)

    def is_barred(self, value: Value) -> bool:
        """Whether the value is, or rounds to, a gold answer's or the question's."""
        return any(values.close(value, other) for other in self.barred)


def recase(model: str, word: str) -> str:
    """``word`` with a capital where ``model`` has one."""
    return word[0].upper() + word[1:] if model[:1].isupper() else word
