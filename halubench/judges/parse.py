"""Reads the verdict out of a judge's answer, however it is wrapped; never guesses one.

Released Lynx models, and others, write SCORE unquoted, REASONING as a Python list, wrap the whole
in prose or code fences, leak chat headers, or stop half-way. So the verdict is looked for by its
key, never by parsing the whole as JSON, and the last SCORE wins.
"""

from __future__ import annotations

import json
import re

from halubench.records import Unscored, Verdict

EMPTY = "empty answer"
THINKING = "thinking never ended"
MISSING = "no SCORE in the answer"
BOTH = "SCORE names both PASS and FAIL"
NEITHER = "SCORE is neither PASS nor FAIL"

_SPECIAL = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>")
_HEADER = re.compile(r"assistant[ \t]*\n\n|\A\s*assistant[ \t]*\n")
_QUOTED_KEY = r"""(?<!\\)["'`]SCORE["'`][\s*]*[:=]"""
_BARE_KEY = r"(?:^|[{}\[\],])[ \t*#>_-]*SCORE[ \t*_]*[:=]"
_STRUCTURAL = re.compile(f"{_QUOTED_KEY}|{_BARE_KEY}", re.IGNORECASE | re.MULTILINE)
_IN_PROSE = re.compile(r"\bSCORE[*_]*[:=]")
_OPENERS = " \t\r\n\"'`*_[(<{"
_VALUE = re.compile(
    r"""(PASS|FAIL)["'`*_>)]*[ \t]*(?=[\]}.,;(<\n\r|/"'`]|or\b|and\b|\Z)""", re.IGNORECASE
)
_SECOND = re.compile(r"""[\s,|/]{0,9}(?:or|and)?[\s"'`*_<]{0,9}(PASS|FAIL)\b""", re.IGNORECASE)
_LONE = re.compile(r"\W*(PASS|FAIL)\W*", re.IGNORECASE)
_REASONING = re.compile(r"""\bREASONING["'`*_]*\s*[:=]""", re.IGNORECASE)
_CURLY = str.maketrans("“”‘’", "\"\"''")


def parse_verdict_text(text: str) -> tuple[Verdict, str]:
    """The verdict of a judge's answer, and its reasoning as far as it can be read.

    Unscored where there is no SCORE (nor a lone PASS or FAIL), or one that is not exactly one of
    the two. The reasoning never decides the verdict.
    """
    said = _cleaned(text)
    if said is None:
        return Unscored(THINKING), ""
    if not said.strip():
        return Unscored(EMPTY), ""
    if lone := _LONE.fullmatch(said):
        return _label(lone[1]), ""
    plain = said.translate(_CURLY)
    keys = list(_STRUCTURAL.finditer(plain)) or list(_IN_PROSE.finditer(plain))
    verdict = _value(plain[keys[-1].end() :]) if keys else Unscored(MISSING)
    return verdict, _reasoning(said, keys)


def _cleaned(text: str) -> str | None:
    """The answer without thinking and chat headers; None where the thinking was cut off."""
    after = text.rpartition("</think>")[2]
    if "<think>" in after:
        return None
    return _HEADER.sub("\n\n", _SPECIAL.sub("\n", after))


def _value(text: str) -> Verdict:
    start = text.lstrip(_OPENERS)
    found = _VALUE.match(start)
    if not found:
        return Unscored(NEITHER)
    second = _SECOND.match(start, found.end())
    if second and second[1].upper() != found[1].upper():
        return Unscored(BOTH)
    return _label(found[1])


def _label(word: str) -> Verdict:
    return "PASS" if word.upper() == "PASS" else "FAIL"


def _reasoning(text: str, keys: list[re.Match[str]]) -> str:
    """The bullets one a line where they are a JSON list, else the text as it stands."""
    found = _REASONING.search(text)
    if not found:
        return ""
    end = next((key.start() for key in keys if key.start() >= found.end()), len(text))
    raw = text[found.end() : end].strip(" \t\r\n,")
    try:
        bullets = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    return "\n".join(map(str, bullets)) if isinstance(bullets, list) else str(bullets)
