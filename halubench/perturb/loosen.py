"""A long copied answer in slightly other words, so that it is no verbatim quote of its passage.

In a quote, the broken run of copied words alone would tell the edited answer. Only wordings change,
for others of the same sense, at places chosen by hash; both twins share the result.
"""

from __future__ import annotations

import re

from halubench.text import digest, words

SHORT = 6
"""Words up to which an answer stays as it is."""
_OTHER = {
    "such as": "like",
    "due to": "because of",
    "because of": "due to",
    "approximately": "about",
    "during": "in the course of",
    "prior to": "before",
    "before": "prior to",
    "via": "through",
    "in order to": "to",
    "for example": "for instance",
    "a number of": "several",
    "among": "amongst",
    "although": "though",
    "compared with": "compared to",
    "compared to": "compared with",
    "based on": "on the basis of",
    "in addition to": "besides",
    "associated with": "linked to",
    "showed that": "indicated that",
    "demonstrated that": "showed that",
    "revealed that": "showed that",
    "was observed": "was seen",
    "were observed": "were seen",
    "was performed": "was carried out",
    "were performed": "were carried out",
    "patients with": "patients who had",
    "of the patients": "of patients",
    "the majority of the": "most of the",
    "whereas": "while",
    "as well as": "and also",
    "versus": "vs",
    "vs": "versus",
    "who underwent": "undergoing",
    "at the time of": "at",
    "a total of": "altogether",
    "as a result of": "as a consequence of",
    "furthermore": "moreover",
    "moreover": "furthermore",
    "in both groups": "within both groups",
    "in children": "among children",
    "in patients": "among patients",
    "in subjects": "among subjects",
    "in comparison with": "in comparison to",
    "in terms of": "as regards",
    "in this study": "in the present study",
    "per year": "a year",
    "the use of": "use of",
    "therefore": "thus",
    "until": "till",
    "used by": "employed by",
    "used for": "employed for",
    "used in": "employed in",
    "with a mean": "having a mean",
    "with a median": "having a median",
    "with regard to": "as regards",
    "with respect to": "as regards",
    "years of age": "years old",
}


def _any(phrases: dict[str, str]) -> str:
    return "|".join(sorted(phrases, key=len, reverse=True))


_LOOSE = re.compile(
    rf"(?<=[a-z),%] )(?:(?P<other>{_any(_OTHER)})(?= (?!and\b)[\w(])|(?<!both )(?P<join>and)(?= (?!also\b)[a-z]))"
)


def loosen(answer: str, key: str) -> str:
    """The answer with two of three such wordings changed, chosen by ``key``."""
    if len(words(answer)) <= SHORT:
        return answer
    pairs = "between" in answer  # "between A and B": that "and" joins no more than two.

    def other(match: re.Match[str]) -> str:
        if match["other"]:
            return _OTHER[match["other"]]
        if int(digest(key, str(match.start()))[:8], 16) % 3 == 0:
            return match.group()
        return "and" if pairs else "and also"

    return _LOOSE.sub(other, answer)
