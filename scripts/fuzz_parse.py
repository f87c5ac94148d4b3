"""Fuzz the reading of verdicts, guided by coverage: ``python scripts/fuzz_parse.py [SECONDS]``.

Needs the package ``atheris``. Answers are put together from the pieces of which models make them,
and from raw bytes. It stops at the first answer that breaks a rule:

- reading never raises, and takes at most a second of the processor;
- a verdict is PASS or FAIL only if that word is in the answer;
- a well-formed ``SCORE`` at the end decides, whatever comes before it (thinking left open aside).
"""

from __future__ import annotations

import sys
from time import process_time

import atheris

with atheris.instrument_imports(include=["halubench.judges.parse"]):
    from halubench.judges import parse

from halubench.records import Unscored

PIECES = (
    *('"', "'", "`", "*", "{", "}", "[", "]", ":", "=", ",", "\n", "\r\n", " ", "\\", "“", "”"),
    *("SCORE", "Score", "score", "REASONING", "PASS", "FAIL", "pass", "fail", "PASSED", "or"),
    *("<think>", "</think>", "assistant\n\n", "<|start_header_id|>", "<|eot_id|>", "</s>"),
    *("```json\n", "```", '"SCORE": ', '{"REASONING": ["', "not ", "null", "0.5", "<PASS or FAIL>"),
)
ENDINGS = ('\n{"SCORE": "%s"}', "\nSCORE: %s", "\n{'SCORE': '%s'", '\n{"SCORE": %s}<|eot_id|>')


def answer(data: atheris.FuzzedDataProvider) -> str:
    """An answer: pieces in any order, with some raw text between them."""
    parts = [
        PIECES[choice]
        if (choice := data.ConsumeIntInRange(0, len(PIECES))) < len(PIECES)
        else data.ConsumeUnicode(data.ConsumeIntInRange(0, 20))
        for _ in range(data.ConsumeIntInRange(0, 60))
    ]
    return "".join(parts)


def test(raw: bytes) -> None:
    """Check the rules on one answer."""
    data = atheris.FuzzedDataProvider(raw)
    said, word = answer(data), ("PASS", "FAIL")[data.ConsumeBool()]
    ending = ENDINGS[data.ConsumeIntInRange(0, len(ENDINGS) - 1)] % word
    start = process_time()
    verdict, _ = parse.parse_verdict_text(said)
    decided, _ = parse.parse_verdict_text(said + ending)
    if process_time() - start > 1:
        raise AssertionError("slow", said)
    if not isinstance(verdict, Unscored) and verdict not in said.upper():
        raise AssertionError("made up", said, verdict)
    thinking = decided == Unscored(parse.THINKING)
    if decided != word and not (thinking and "<think>" in said):
        raise AssertionError("not decided", said + ending, decided)


if __name__ == "__main__":
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-max_len=800", "-len_control=0"], test
    )
    atheris.Fuzz()
