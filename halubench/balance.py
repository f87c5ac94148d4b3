"""Chooses which twins to keep, balanced so that no word tells the label.

Balance by construction: an edit that exchanges two general words ("increased" for "decreased",
"yes" for "no") is kept only together with one that exchanges them the other way round, so that
each word stands in as many PASS as FAIL answers. Types are filled evenly, up to their quota.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from halubench.perturb import definitions
from halubench.records import Rejected
from halubench.text import digest
from halubench.verify import checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from halubench.records import Candidate

STAGE = "choose"
MAX_SHARE_OF_ONE_EDIT = 0.02
"""Largest share of a source's pairs with the same old and new words (per direction)."""
MEASURABLE = 20
"""Pairs of a source from which on a type can be too rare: with fewer the audit measures none."""
MIN_SHARE_OF_A_TYPE = 0.015
"""A type with a smaller share of a source's pairs, or a single pair, is left out: too few rows to say
anything of it."""
EXEMPT = frozenset(("conclusion", "scale", "sign"))
"""Operators whose vocabulary is a handful of words by nature; their type's quota holds instead."""

MAX_UNPAIRED = 0.10
"""Largest share of pairs whose exchange of words may stay without its reverse when pairs are short;
of one exchange at most two, of a type a quarter. The audit says whether a word tells the label all the same."""
LOOKAHEAD = 80
"""Candidates compared when one is taken."""

_ARTICLE = re.compile(r"^(?:an?|the) (?=\w)")
Direction = tuple[str, str]


@dataclass(frozen=True)
class Chosen:
    """``kept`` holds at most one candidate an item; every other item is in ``dropped``."""

    kept: list[Lot]
    dropped: list[Rejected]


@dataclass(frozen=True, slots=True)
class Lot:
    """What a choice has to know of a candidate, which its maker finds again by ``place``.

    ``direction``: what stands in PASS, and what in FAIL. ``broken``: how much of what is copied the
    edit breaks, in whole quarters of what the gate allows.
    """

    place: int
    item_id: str
    source_ds: str
    perturbation: str
    direction: Direction
    broken: int

    @classmethod
    def of(cls, one: Candidate, place: int) -> Lot:
        """That of a candidate."""
        pairs, run = checks.quote_gaps(one)
        broken = int(4 * max(pairs / checks.MAX_PAIRS_GAP, run / checks.MAX_RUN_GAP))
        item = one.item
        return cls(place, item.id, item.source_ds, one.perturbation, _direction(one), broken)


def choose(lots: Mapping[str, Sequence[Lot]], accept: int, seed: int) -> Chosen:
    """Keep at most ``accept`` pairs, one an item, spread evenly over sources and types.

    Deterministic for a seed, whatever the order of ``lots``, which are those of each item id. Items
    without one have to be left out by the caller.
    """
    sources: dict[str, dict[str, Sequence[Lot]]] = defaultdict(dict)
    for item_id, found in lots.items():
        sources[found[0].source_ds][item_id] = found
    kept: list[Lot] = []
    dropped: list[Rejected] = []
    shares = _even(accept, {name: len(items) for name, items in sources.items()})
    for name in sorted(sources, key=lambda one: (shares[one], one)):
        draw = _drawn(sources[name], shares[name], digest(str(seed), name))
        kept.extend(draw.kept)
        dropped.extend(_left_over(sources[name], draw, shares[name]))
    return Chosen(kept, dropped)


def _drawn(items: Mapping[str, Sequence[Lot]], wanted: int, seed: str) -> _Draw:
    """The draw of one source; types too rare in it to be measured are left out and drawn around."""
    left_out: set[str] = set()
    while True:
        draw = _Draw(items, wanted, Random(int(seed[:16], 16)), left_out)  # noqa: S311
        draw.run()
        if draw.over_quota():
            wanted = len(draw.kept)
            continue
        if len(draw.kept) < MEASURABLE:
            return draw
        least = max(2, MIN_SHARE_OF_A_TYPE * len(draw.kept))
        rare = {name for name, count in draw.by_type.items() if count < least}
        if not rare:
            return draw
        left_out = left_out | rare


@dataclass
class _Draw:
    """The draw of one source: units (one candidate, or two that balance) type by type."""

    items: Mapping[str, Sequence[Lot]]
    wanted: int
    random: Random
    left_out: set[str] = field(default_factory=set[str])
    kept: list[Lot] = field(default_factory=list["Lot"])
    used: set[str] = field(default_factory=set[str])
    by_type: Counter[str] = field(default_factory=Counter[str])
    by_edit: Counter[Direction] = field(default_factory=Counter[Direction])
    unpaired_left: int = 0
    unpaired: Counter[str] = field(default_factory=Counter[str])
    surplus: defaultdict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    """How much oftener a word or value was put into PASS than into FAIL answers."""

    def run(self) -> None:
        """Take units of the type that has least so far, until enough or nothing fits."""
        known = definitions.load_all()
        self._quota = {name: one.quota for name, one in known.items()}
        self._word_rules = {
            name: one.rule
            for name, one in known.items()
            if one.rule and (one.rule.words or one.rule.operator == "sign")
        }
        self._fill()
        if len(self.kept) < self.wanted:
            self.unpaired_left = int(MAX_UNPAIRED * self.wanted)
            self._fill()

    def over_quota(self) -> bool:
        """Whether, for want of pairs of other types, a type has more than its share of what is kept."""
        kept = len(self.kept)
        return kept < self.wanted and any(
            count > max(2, self._quota.get(name, 1.0) * kept + 1)
            for name, count in self.by_type.items()
        )

    def _fill(self) -> None:
        queues = self._queues()
        open_types = sorted(set(queues) - self.left_out)
        while open_types and len(self.kept) < self.wanted:
            name = min(open_types, key=lambda one: (self.by_type[one], one))
            unit = self._next(name, queues[name]) if self._room(name) else None
            if unit is None:
                open_types.remove(name)
                continue
            for one in unit:
                self._keep(one)

    def _queues(self) -> dict[str, _Queue]:
        order = sorted(self.items)
        self.random.shuffle(order)
        queues: dict[str, list[Lot]] = defaultdict(list)
        for item_id in order:
            found = list(self.items[item_id])
            self.random.shuffle(found)
            for one in found:
                queues[one.perturbation].append(one)
        return {name: _Queue(waiting) for name, waiting in queues.items()}

    def _next(self, name: str, queue: _Queue) -> list[Lot] | None:
        while (one := queue.pop(self.surplus)) is not None:
            if not self._free(one):
                continue
            if name not in self._word_rules:
                return [one]
            room = len(self.kept) + 2 <= self.wanted
            partner = queue.partner(one, self._free) if room else None
            if partner is not None:
                return [one, partner]
            if self._may_stay_unpaired(one):
                self.unpaired_left -= 1
                self.unpaired[name] += 1
                return [one]
        return None

    def _may_stay_unpaired(self, one: Lot) -> bool:
        (kept, new), name = one.direction, one.perturbation
        few = self.by_edit[kept, new] - self.by_edit[new, kept] < 2
        return self.unpaired_left > 0 and few and 4 * self.unpaired[name] <= self.by_type[name]

    def _room(self, name: str) -> bool:
        return self.by_type[name] < max(2, self._quota.get(name, 1.0) * self.wanted)

    def _free(self, one: Lot) -> bool:
        if one.item_id in self.used:
            return False
        rule = self._word_rules.get(one.perturbation)
        if rule is not None and rule.operator in EXEMPT:
            return True
        return self.by_edit[one.direction] < max(2, MAX_SHARE_OF_ONE_EDIT * self.wanted)

    def _keep(self, one: Lot) -> None:
        self.kept.append(one)
        self.used.add(one.item_id)
        self.by_type[one.perturbation] += 1
        kept, new = one.direction
        self.by_edit[kept, new] += 1
        self.surplus[kept] += 1
        self.surplus[new] -= 1


class _Queue:
    """The candidates of one type, in the order in which they are looked at; each is taken once."""

    def __init__(self, waiting: Sequence[Lot]) -> None:
        self._waiting = waiting
        self._taken = bytearray(len(waiting))
        self._window: list[int] = []
        self._unseen = 0
        self._places: defaultdict[Direction, list[int]] = defaultdict(list)
        for place in range(len(waiting) - 1, -1, -1):
            self._places[waiting[place].direction].append(place)

    def pop(self, surplus: Mapping[str, int]) -> Lot | None:
        """Of the next few candidates the one whose twins are most alike beside the passage, and that
        best evens out what was put where."""
        self._window = [place for place in self._window if not self._taken[place]]
        while len(self._window) < LOOKAHEAD and self._unseen < len(self._waiting):
            if not self._taken[self._unseen]:
                self._window.append(self._unseen)
            self._unseen += 1
        if not self._window:
            return None
        return self._take(min(self._window, key=lambda place: self._cost(place, surplus)))

    def _cost(self, place: int, surplus: Mapping[str, int]) -> tuple[int, int]:
        """First what the edit breaks of what is copied, then how uneven it leaves the words."""
        one = self._waiting[place]
        kept, new = one.direction
        return one.broken, surplus[kept] - surplus[new]

    def partner(self, one: Lot, free: Callable[[Lot], bool]) -> Lot | None:
        """The next candidate of another item that makes the reverse exchange.

        What is not free never will be again, so that each is passed over once.
        """
        kept, new = one.direction
        places = self._places[new, kept]
        while places and not self._open(places[-1], free):
            places.pop()
        for place in reversed(places):
            if self._waiting[place].item_id != one.item_id and self._open(place, free):
                return self._take(place)
        return None

    def _open(self, place: int, free: Callable[[Lot], bool]) -> bool:
        return not self._taken[place] and free(self._waiting[place])

    def _take(self, place: int) -> Lot:
        self._taken[place] = True
        return self._waiting[place]


def _direction(one: Candidate) -> Direction:
    """(what stands in PASS, what stands in FAIL) at the site; a sign change counts as its sign."""
    kept = one.pass_edit.new if one.pass_edit else one.fail_edit.old
    new = one.fail_edit.new
    if kept.lstrip("-") == new.lstrip("-"):
        return ("-" if kept.startswith("-") else "+", "-" if new.startswith("-") else "+")
    return (_ARTICLE.sub("", kept.lower()), _ARTICLE.sub("", new.lower()))


def _even(total: int, supply: Mapping[str, int]) -> dict[str, int]:
    """``total`` shared as evenly as the supplies allow."""
    shares: dict[str, int] = {}
    left, names = total, sorted(supply, key=lambda name: (supply[name], name))
    for place, name in enumerate(names):
        shares[name] = min(supply[name], left // (len(names) - place))
        left -= shares[name]
    return shares


def _left_over(items: Mapping[str, Sequence[Lot]], draw: _Draw, wanted: int) -> Iterator[Rejected]:
    enough = len(draw.kept) >= wanted
    reason = (
        "enough pairs accepted" if enough else "no partner that balances its words, or quota full"
    )
    for item_id, found in sorted(items.items()):
        if item_id not in draw.used:
            yield Rejected(found[0].source_ds, item_id, STAGE, reason)
