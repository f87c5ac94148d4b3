"""The operators that a perturbation's ``rule`` may name. Each proposes exact edits of a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from random import Random  # noqa: TC003
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import restate, sites
from halubench.text import normalise, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from halubench.perturb.base import Site, Statement
    from halubench.perturb.definitions import Rule
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


_NO_SITE = re.compile(r"\s*(?:CI\b|confidence|credible|%?-?CI\b)|\.\s+[A-Z]|\)\s")
"""What follows a confidence level ("95% CI"), a list number ("1. ") or a label ("(2) ")."""


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
            and not re.match(
                r"\s*(?:CI\b|confidence|credible|%?-?CI\b)", statement.text[value.end :]
            )
        ]

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

    def in_passage(self, value: Value) -> bool:
        """Whether the passage holds this value in any spelling or rounding."""
        return any(values.close(value, other) for other in self.passage_values)

    def is_barred(self, value: Value) -> bool:
        """Whether the value is, or rounds to, a gold answer's or the question's."""
        return any(values.close(value, other) for other in self.barred)


def swap(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A value or name of the same type and spelling from elsewhere in the passage (level L2)."""
    for value in ground.site_values:
        if value.kind in rule.sites and ground.in_passage(value) and _unit_ok(value, rule):
            yield from _swap_value(ground, value)
    if "name" in rule.sites:
        yield from _swap_names(ground)


def _swap_value(ground: Ground, value: Value) -> Iterator[Proposal]:
    text = ground.statement.text
    others = {
        _spelled(other): other
        for other in ground.passage_values
        if other.amount and _alike(value, other, text) and not ground.is_barred(other)
    }
    near = sorted(others.items(), key=lambda pair: (_distance(value, pair[1]), pair[0]))
    for spelled, other in _pick(ground, near):
        if value.kind == "date":
            yield Proposal(
                value.start,
                value.end,
                spelled,
                "L2",
                f"{value.text} -> {spelled}",
                None,
                other.text,
            )
            continue
        start, end = value.core
        new = _recase(text[start:end], values.spell_like(text[start:end], other.amount))
        yield Proposal(start, end, new, "L2", f"{text[start:end]} -> {new}", None, other.text)


def _spelled(other: Value) -> str:
    return other.text if other.kind == "date" else str(abs(other.amount))


def _pick(ground: Ground, near: list[tuple[str, Value]]) -> list[tuple[str, Value]]:
    pool = near[: MOST + 1]
    return ground.random.sample(pool, min(MOST, len(pool)))


def shift(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A plausible slip in a value that the passage does not state but that was computed (L3).

    The gold value is absent from the passage, so the wrong one is absent too: whether a number
    occurs in the passage then tells nothing.
    """
    for value in ground.site_values:
        if value.kind not in rule.sites or ground.in_passage(value):
            continue
        start, end = value.core
        text = ground.statement.text[start:end]
        made = list(dict.fromkeys(_slips(text, ground.random)))
        for new in made:
            wrong = values.find(new + ("%" if value.kind == "percent" else ""))
            if (
                wrong
                and wrong[0].amount
                and not ground.in_passage(wrong[0])
                and not ground.is_barred(wrong[0])
            ):
                yield Proposal(start, end, new, "L3", f"{text} -> {new}")


def _slips(text: str, random: Random) -> Iterator[str]:
    """One digit changed (never to a leading zero), or a number word moved by one or two."""
    if text.lower() in values.NUMBER_WORDS:
        number = values.NUMBER_WORDS[text.lower()] + random.choice((-2, -1, 1, 2))
        if number > 1:
            yield values.spell_like(text, Decimal(number))
        return
    places = [index for index, char in enumerate(text) if char.isdigit()]
    for place in random.sample(places, min(MOST, len(places))):
        low = 1 if place == places[0] else 0
        digit = random.choice([d for d in range(low, 10) if str(d) != text[place]])
        yield text[:place] + str(digit) + text[place + 1 :]


def scale(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The magnitude word exchanged: thousand, million, billion (L1)."""
    for value in ground.site_values:
        for old, new in (*rule.words, *((b, a) for a, b in rule.words)):
            match = re.search(rf"\b{old}\b", value.text)
            if match and value.kind in rule.sites:
                wrong = values.find(value.text.replace(old, new))
                if wrong and not any(
                    values.same(wrong[0], other) for other in ground.passage_values
                ):
                    start = value.start + match.start()
                    yield Proposal(start, start + len(old), new, "L1", f"{old} -> {new}")


def sign(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A change told with the opposite sign: "-2.9%" for "2.9%" and the reverse (L3)."""
    asked = re.search(
        r"\b(?:chang|increas|decreas|growth|difference|profit|loss)",
        ground.statement.item.question.lower(),
    )
    for value in ground.site_values:
        if not asked or value.kind not in rule.sites or value.amount == 0:
            continue
        start, end = value.core
        minus = value.start < start and ground.statement.text[start - 1] in "-−"
        if minus:
            yield Proposal(start - 1, end, ground.statement.text[start:end], "L3", "sign dropped")
        elif value.start == start:
            yield Proposal(start, end, "-" + ground.statement.text[start:end], "L3", "sign added")


_GUARD = re.compile(
    r"\b(?:not|no|none|nothing|never|neither|nor|without|whether|if|fail(?:s|ed)?|lack|cannot|may|might|could|"
    r"should|would|unclear|unlikely|or|either|than expected)\b|n't\b",
    re.IGNORECASE,
)


def flip(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A word for its opposite, in the same inflection, where no negation or hedge stands near (L1).

    "a" and "an" before the word follow it. Where the opposite stands near ("men and women"), the
    flip might say what the passage says: it is left alone.
    """
    statement = ground.statement
    answer = statement.text[statement.start : statement.end]
    for match in _flippable(rule.words).finditer(answer):
        word = match["word"]
        near = (
            answer[max(0, match.start() - 60) : match.end() + 30]
            .lower()
            .replace(word.lower(), "", 1)
        )
        if _GUARD.search(near):
            continue
        start, end = (statement.start + at for at in match.span())
        for new in _opposites(rule.words, word.lower()):
            if not re.search(rf"\b{re.escape(new)}\b", near):
                twin, other = rule.twins.get(word.lower()), rule.twins.get(new)
                paired = twin is not None and other is not None
                fail = _article(match["article"], other if paired and other else new, word)
                kept = _article(match["article"], twin, word) if paired and twin else None
                yield Proposal(start, end, fail, "L1", f"{word.lower()} -> {new}", kept)


@lru_cache(maxsize=64)
def _flippable(pairs: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    known = sorted({word for pair in pairs for word in pair}, key=lambda word: (-len(word), word))
    return re.compile(
        rf"(?<![\w-])(?:(?P<article>an?) )?(?P<word>{'|'.join(map(re.escape, known))})(?![\w-])",
        re.IGNORECASE,
    )


def _opposites(pairs: tuple[tuple[str, str], ...], word: str) -> list[str]:
    return [b for a, b in pairs if a == word] + [a for a, b in pairs if b == word]


def _article(article: str | None, word: str, model: str) -> str:
    word = _recase(model, word)
    if article is None:
        return word
    right = "an" if word[0].lower() in "aeiou" else "a"
    return f"{right.capitalize() if article[0].isupper() else right} {word}"


def conclusion(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The study's yes / no / maybe answered otherwise (L3: it follows from the passage as a whole)."""
    answer = ground.statement.text[ground.statement.start : ground.statement.end]
    if answer in ("yes", "no", "maybe"):
        for old, new in (*rule.words, *((b, a) for a, b in rule.words)):
            if old == answer:
                yield Proposal(
                    ground.statement.start, ground.statement.end, new, "L3", f"{old} -> {new}"
                )


_OPTIONS = re.compile(
    r"(?:[,:]\s*(?:was it |is it )?(?P<a>[^,:;?]{1,60}?),?\s+or\s+|\bbetween (?P<c>[^,:;?]{1,60}?) and )"
    r"(?P<b>[^,:;?]{1,60})\?$",
    re.IGNORECASE,
)


def choice(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The other one of two alternatives that the question itself offers ("..., A or B?") (L2)."""
    _ = rule
    statement = ground.statement
    answer = statement.text[statement.start : statement.end]
    match = _OPTIONS.search(statement.item.question.strip())
    if not match:
        return
    offered = (match["a"] or match["c"], match["b"])
    options = [re.sub(r"^(?:the|an?) ", "", text.strip(), flags=re.IGNORECASE) for text in offered]
    bare = re.sub(r"^(?:the|an?) ", "", answer, flags=re.IGNORECASE)
    for gold, other in (options, options[::-1]):
        if normalise(gold) == normalise(bare) and _fits(other, bare):
            new = answer[: len(answer) - len(bare)] + _recase(bare, other)
            yield Proposal(statement.start, statement.end, new, "L2", f"{answer} -> {new}")


def _fits(option: str, answer: str) -> bool:
    return 0 < len(words(option)) <= len(words(answer)) + 2 and normalise(option) != normalise(
        answer
    )


_TEAMS = re.compile(r"\b(?:teams?|won|wins?|lost|loses?|losing|winning|opponents?|games?)\b")


def _swap_names(ground: Ground) -> Iterator[Proposal]:
    item = ground.statement.item
    if _TEAMS.search(item.question.lower()):  # "Packers" and "Green Bay" are one team
        return
    spoken_for = set(words(" ".join((item.question, item.answer, *item.aliases))))
    answer = ground.statement.text[ground.statement.start : ground.statement.end]
    for site in ground.sites:
        if site.kind != "name" or site.text not in ground.passage_names:
            continue
        if not _ACRONYM.fullmatch(site.text) and 2 * len(words(site.text)) < len(words(answer)):
            continue
        pool = [
            name
            for name, contexts in ground.passage_names.items()
            if _same_shape(site.text, name)
            and contexts & ground.passage_names[site.text]
            and not spoken_for & set(words(name))
            and not _related(site.text, name, item.passage)
        ]
        for name in ground.random.sample(pool, min(MOST, len(pool))):
            yield Proposal(site.start, site.end, name, "L2", f"{site.text} -> {name}", None, name)


_ACRONYM = re.compile(r"[A-Z][A-Za-z]*[A-Z0-9][\w-]*")


def _same_shape(left: str, right: str) -> bool:
    def shape(name: str) -> list[bool]:
        return [bool(_ACRONYM.fullmatch(word)) for word in name.split()]

    return shape(left) == shape(right) and ("'" in left) == ("'" in right)


def _related(left: str, right: str, passage: str) -> bool:
    """Whether two names may mean the same or be answers side by side (coordinated or in brackets)."""
    if set(words(left)) & set(words(right)):
        return True
    initials = ["".join(word[0] for word in name.split()).upper() for name in (left, right)]
    if initials[0] == right.upper() or initials[1] == left.upper():
        return True
    joint = r"(?:\s*[,/&(]\s*(?:and |or )?|\s+(?:and|or|of|the)\s+|\s+)"
    a, b = re.escape(left), re.escape(right)
    return bool(re.search(rf"{a}{joint}(?:the )?{b}|{b}{joint}(?:the )?{a}", passage))


def _alike(value: Value, other: Value, text: str) -> bool:
    """Same type, spelled alike: digits, decimals, commas, unit; so that form cannot tell the label."""
    if value.kind == "date":
        return other.kind == "date" and _date_shape(value.text) == _date_shape(other.text)
    return _same_measure(value, other) and _same_spelling(value, other, text)


def _same_measure(value: Value, other: Value) -> bool:
    kinds = {value.kind, other.kind}
    if len(kinds) > 1 and kinds != {"money", "number"}:
        return False
    if value.magnitude != other.magnitude and 1 not in (value.magnitude, other.magnitude):
        return False
    if "money" in kinds:
        return not (value.unit and other.unit) or value.unit == other.unit
    return value.unit.rstrip("s") == other.unit.rstrip("s")


def _same_spelling(value: Value, other: Value, text: str) -> bool:
    places = values.decimals(value)
    if places != values.decimals(other) and not (places == 2 and value.kind == "money"):
        return False
    core = text[value.core[0] : value.core[1]]
    if core.lower() in values.NUMBER_WORDS:
        return other.amount == int(other.amount) and 1 < abs(other.amount) <= 100
    spelled = values.spell_like(core, other.amount)
    return abs(len(spelled) - len(core)) <= 1 and spelled != core


def _date_shape(text: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[A-Z][a-z]+", "M", text)).replace("00", "0")


def _distance(value: Value, other: Value) -> Decimal:
    if value.kind == "date" or not value.amount:
        return Decimal(0)
    return abs(abs(other.amount) - abs(value.amount)) / abs(value.amount)


def _unit_ok(value: Value, rule: Rule) -> bool:
    return not rule.units or value.unit in rule.units


def _recase(model: str, word: str) -> str:
    return word[0].upper() + word[1:] if model[:1].isupper() else word


OPERATORS: dict[str, Callable[[Ground, Rule], Iterator[Proposal]]] = {
    "swap": swap,
    "shift": shift,
    "scale": scale,
    "sign": sign,
    "flip": flip,
    "conclusion": conclusion,
    "choice": choice,
}
