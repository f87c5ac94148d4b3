"""The sample documents: every row is whole, and every answer rests on its passage."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from halubench.content import SHIPPED
from halubench.sources import SourceOptions, read

FOLDER = SHIPPED / "examples" / "documents"
DOMAINS = ("finance", "medical", "general")
REQUIRED = ("id", "passage", "question", "answer", "domain", "source_ds", "license")
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
TABLE = re.compile(r"^\|[-:| ]+\|$", re.MULTILINE)
ASKS = re.compile(
    r"(?:(?:[A-Z][a-z]+) )?(?:what|which|when|how|who|whom|why|did|was|does|by how)\b",
    re.IGNORECASE,
)


def rows_of(domain: str) -> list[dict[str, str]]:
    lines = (FOLDER / f"{domain}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ROWS = [row for domain in DOMAINS for row in rows_of(domain)]


def test_there_are_enough_items_and_no_other_file() -> None:
    assert len(ROWS) >= 60
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(DOMAINS)


def test_ids_and_question_passage_pairs_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({(row["passage"], row["question"]) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_tables_and_two_questions_a_passage(domain: str) -> None:
    rows = rows_of(domain)
    questions = Counter(row["passage"] for row in rows)
    assert min(questions.values()) >= 2
    assert sum(bool(TABLE.search(passage)) for passage in questions) >= 3
    assert {(row["domain"], row["source_ds"]) for row in rows} == {(domain, f"sample-{domain}")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_row_is_whole(row: dict[str, str]) -> None:
    assert set(REQUIRED) <= set(row) <= {*REQUIRED, "derivation"}
    assert all(isinstance(value, str) and value.strip() == value != "" for value in row.values())
    assert row["license"] == "Apache-2.0"
    assert 900 <= len(row["passage"]) <= 2500
    assert row["question"].endswith("?")
    assert ASKS.search(row["question"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_an_answer_rests_on_its_passage(row: dict[str, str]) -> None:
    stated = set(NUMBER.findall(row["passage"]))
    missing = set(NUMBER.findall(row["answer"])) - stated
    assert not missing or missing <= set(NUMBER.findall(row.get("derivation", "")))
    if row["answer"][:3].rstrip(",") not in {"Yes", "No"} and not NUMBER.search(row["answer"]):
        capitals = re.findall(r"(?<!^)(?<![.!?] )\b[A-Z]\w+", row["answer"])
        assert all(name in row["passage"] for name in capitals)


@pytest.mark.parametrize("row", [row for row in ROWS if "derivation" in row], ids=lambda r: r["id"])
def test_a_derivation_is_right_and_uses_numbers_of_the_passage(row: dict[str, str]) -> None:
    terms, result = row["derivation"].split(" = ")
    left, sign, right = terms.split(" ")
    assert {left, right} <= set(NUMBER.findall(row["passage"]))
    computed = float(left) + float(right) * {"+": 1, "-": -1}[sign]
    assert computed == pytest.approx(float(result))
    assert result in row["answer"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_numeric_answer_has_rivals_in_its_passage(row: dict[str, str]) -> None:
    """A wrong answer can be taken from elsewhere: five other numbers at least."""
    own = set(NUMBER.findall(row["answer"]))
    assert len(set(NUMBER.findall(row["passage"])) - own) >= 5


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_reader_takes_every_row(domain: str) -> None:
    source = read(str(FOLDER / f"{domain}.jsonl"), SourceOptions())
    assert not source.rejected
    assert {item.domain for item in source.items} == {domain}
    assert len(source.items) == source.rows == len(rows_of(domain))


def test_the_demo_is_where_the_wheel_ships_it() -> None:
    script = (Path(SHIPPED) / "examples" / "demo.sh").read_text(encoding="utf-8")
    for command in ("generate", "audit", "evaluate", "leaderboard"):
        assert f"run halubench {command} " in script
