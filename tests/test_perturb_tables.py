"""Cells of tables inside a passage, and the edits that take a neighbouring cell."""

from __future__ import annotations

import pytest
from perturb_world import fails, ground

from halubench.perturb import respell, tables

PIPE = "| | 2023 | 2022 |\n|---|---|---|\n| Rent | $1,204 | $1,187 |\n| Wages | $2,310 | (2,295) |"
HTML = (
    "<table><tr><th></th><th>2023</th><th>2022</th></tr><tr><td>Rent</td><td>$1,204</td>"
    "<td>$1,187</td></tr><tr><td>Wages</td><td>$2,310</td><td>(2,295)</td></tr></table>"
)
PAGE = "(In millions)\n2023\n2022\nRent\n$1,204\n$1,187\nWages\n$2,310\n(2,295)"


@pytest.fixture(autouse=True)
def _spelled_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(respell, "SHARE", 0.0)


@pytest.mark.parametrize("passage", [PIPE, HTML, PAGE])
def test_each_form_of_table_gives_the_same_cells(passage: str) -> None:
    found = [(cell.row, cell.head, cell.value.text) for cell in tables.cells(passage)]
    assert found == [
        ("Rent", "2023", "$1,204"),
        ("Rent", "2022", "$1,187"),
        ("Wages", "2023", "$2,310"),
        ("Wages", "2022", "(2,295)"),
    ]
    assert tables.labels(passage) == ("Rent", "Wages")


def test_prose_and_a_lone_pipe_are_no_table() -> None:
    assert tables.cells("Either a | b holds, or 5 of them.\nThere are 7 more.") == ()


def edited(operator: str, passage: str = PIPE, answer: str = "$1,204", ask: str = "") -> set[str]:
    found: set[str] = set()
    for seed in range(8):
        of = ground(passage, ask or "What was the rent?", answer, seed=seed)
        found |= fails(of, operator=operator, sites=["money", "number"])
    return found


@pytest.mark.parametrize("passage", [PIPE, HTML, PAGE])
def test_a_row_keeps_the_column_and_a_column_keeps_the_row(passage: str) -> None:
    assert edited("row", passage) == {"$2,310"}
    assert edited("column", passage) == {"$1,187"}


def test_a_value_that_is_no_cell_has_no_neighbour() -> None:
    assert edited("row", answer="$1,205") == set()


def test_the_label_of_another_line_but_never_a_total_or_what_was_asked() -> None:
    table = (
        "| | 2023 |\n|---|---|\n| Ferries | 12 |\n| Buses | 40 |\n| Trams | 31 |\n| Total | 83 |"
    )
    assert edited("label", table, "Buses", "Which line sold most?") == {"Ferries", "Trams"}
    assert edited("label", table, "Buses", "Which sold more than ferries?") == {"Trams"}
    assert edited("label", table, "Planes", "Which line sold most?") == set()
