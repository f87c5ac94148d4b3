"""What a strong model would answer to the requests of ``generate``, for the scripted server.

``Strong(items)`` is a script: it knows the gold answer of every item, proposes edits with the rule
engine, puts gold answers into sentences, and as a juror compares an answer with the truth. It is a
function of the request alone. Real models err now and then, and so does this one, by a hash of the
request: ``slips`` is the share of proposals that cannot be used, ``dissent`` the share of wrong votes. ``taste`` is a name that it puts into FAIL answers whenever it may.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripted_server import Reply, Seen, chat, error

from halubench import values
from halubench.perturb import rules, sites
from halubench.perturb.base import Statement
from halubench.perturb.definitions import load_all
from halubench.perturb.restate import in_sentence
from halubench.text import digest, normalise, sentences, squeeze, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halubench.perturb.definitions import Perturbation
    from halubench.records import Item

SYNONYMS = {"ferry": "boat", "carries": "holds", "increased": "rose", "decreased": "fell"}
_SLIPS = ("quote", "same", "telling")


def tokens(text: str) -> int:
    """Tokens as a tokenizer of words, word pieces and marks counts them."""
    return len(re.findall(r"[^\W\d_]{1,6}|\d{1,3}|[^\w\s]|\n", text))


def drawn(seed: str, *parts: str) -> float:
    """A number in [0, 1) that is a function of the texts."""
    return int(digest(seed, *parts)[:12], 16) / 16**12


@dataclass
class Strong:
    """A script of :class:`scripted_server.ScriptedServer`."""

    items: Iterable[Item]
    slips: float = 0.1
    dissent: float = 0.05
    taste: str = ""
    delay_s: float = 0.0
    known: dict[str, Item] = field(init=False)
    perturbations: dict[str, Perturbation] = field(init=False)

    def __post_init__(self) -> None:
        self.known = {_unquoted(item.question): item for item in self.items}
        self.perturbations = {one.title: one for one in load_all().values()}

    def __call__(self, seen: Seen) -> Reply:
        schema = seen.body["response_format"]["json_schema"]["schema"]
        fields = schema["properties"]
        try:
            text = json.dumps(self._said(seen, fields), ensure_ascii=False)
        except (LookupError, TypeError) as fault:  # Told at once: a 500 would be asked again.
            return error(400, f"the script has no answer: {fault!r}")
        asked = "\n".join(message["content"] for message in seen.body["messages"])
        used = tokens(asked) + tokens(json.dumps(schema)), tokens(text)
        return chat(text, tokens=used, delay_s=self.delay_s)

    def _said(self, seen: Seen, fields: dict[str, Any]) -> dict[str, Any]:
        item = self._item(seen.prompt)
        if "claims" in fields:
            return self._vote(seen, item)
        if "statement" in fields:
            return self._anchor(item)
        if "old" not in fields:
            return {"new_fail": fields["new_fail"]["enum"][0]}
        return self._edit(seen, item, fields["old"]["enum"])

    def _item(self, prompt: str) -> Item:
        told = _unquoted(prompt)
        return self.known[max((q for q in self.known if q in told), key=len, default="")]

    def _anchor(self, item: Item) -> dict[str, Any]:
        supported = bool(set(words(item.answer)) & set(words(item.passage)))
        statement = in_sentence(item, squeeze(item.answer)).text if supported else ""
        return {"quote": _place(item, item.answer), "supported": supported, "statement": statement}

    def _edit(self, seen: Seen, item: Item, spans: list[str]) -> dict[str, Any]:
        lot = drawn("slip", seen.prompt, str(seen.body.get("seed")))
        slip = _SLIPS[int(lot / self.slips * len(_SLIPS))] if lot < self.slips else ""
        true = re.search(r"True statement: (.+)", seen.prompt)
        kind = re.search(r"Kind of error: (.+?)\. ", seen.prompt)
        old, new, twin = self._proposal(item, true[1], self.perturbations[kind[1]], spans)
        if self.taste and old[:1].isupper() and f'"{self.taste.lower()}"' not in seen.prompt:
            new = self.taste
        wrong = {"same": old, "telling": f"{new} instead"}.get(slip, new)
        return {
            "old": old,
            "new_fail": wrong,
            "new_pass": twin,
            "evidence": "as everybody knows" if slip == "quote" else _place(item, old),
            "change_made": f"{old} became {new}",
        }

    def _proposal(
        self, item: Item, text: str, kind: Perturbation, spans: list[str]
    ) -> tuple[str, str, str]:
        statement = Statement(item, text, 0, len(text))
        for one in rules.propose(statement, 0, {kind.name: kind}):
            if one.fail_edit.old in spans and one.base == text:
                twin = one.pass_edit.new if one.pass_edit else one.fail_edit.old
                return one.fail_edit.old, one.fail_edit.new, twin
        old = spans[0]
        return old, _other(item, old), SYNONYMS.get(old, old)

    def _vote(self, seen: Seen, item: Item) -> dict[str, Any]:
        answer = re.search(
            r"(?:ANSWER|Their answer): (.+)|\":\n(.+)\n\nThe only source", seen.prompt
        )
        told = answer[1] or answer[2]
        right = self.supports(item, told)
        wrong = drawn("vote", seen.body["model"], seen.prompt) < self.dissent
        verdict = "PASS" if right != wrong else "FAIL"
        quote = _place(item, item.answer)
        return {"claims": [{"claim": told, "quote": quote}], "SCORE": verdict}

    def supports(self, item: Item, told: str) -> bool:
        """Whether the answer says the gold answer, and nothing that is not in the passage."""
        gold, said = values.find(item.answer), values.find(told)
        if gold and not all(any(values.same(one, other) for other in said) for one in gold):
            return False
        back = {new: old for old, new in SYNONYMS.items()}
        plain = {back.get(word, word) for word in words(told)}
        kept = {word for word in words(item.answer) if not values.find(word)}
        return {back.get(word, word) for word in kept} <= plain


def _unquoted(text: str) -> str:
    """With single quotation marks for double ones, as a prompt that quotes a question has it."""
    return text.replace('"', "'")


def _place(item: Item, old: str) -> str:
    """The sentence of the passage that has the words, else its first."""
    found = sentences(item.passage)
    return next((one for one in found if normalise(old) in normalise(one)), found[0])


def _other(item: Item, old: str) -> str:
    """Something else of the same form: another name of the passage, or other digits."""
    if any(char.isdigit() for char in old):
        return re.sub(r"\d", lambda digit: str(int(digit.group()) % 9 + 1), old, count=1)
    names = [
        name for name in sites.proper_names(item.passage) if not set(words(name)) & set(words(old))
    ]
    close = min(names, key=lambda name: abs(len(name) - len(old)), default="")
    return close or old[::-1]
