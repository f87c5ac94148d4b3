"""Values found in the spellings of real prose and tables; what is a code or a name is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import values

FOUND = {
    "It cost $1,577.00 million.": ("$1,577.00 million", "money", "1577.00", 10**6, "USD"),
    "It cost US$5.2 billion.": ("US$5.2 billion", "money", "5.2", 10**9, "USD"),
    "USD 12 million": ("USD 12 million", "money", "12", 10**6, "USD"),
    "about £4": ("£4", "money", "4", 1, "GBP"),
    "was €3,200.50.": ("€3,200.50", "money", "3200.50", 1, "EUR"),
    "a charge of $(2.9) million": ("$(2.9) million", "money", "-2.9", 10**6, "USD"),
    "a charge of ($2.9) million": ("($2.9) million", "money", "-2.9", 10**6, "USD"),
    "a charge ($2.9 million)": ("$2.9 million", "money", "2.9", 10**6, "USD"),
    "| (1,234) |": ("(1,234)", "number", "-1234", 1, ""),
    "| (2.9)% |": ("(2.9)%", "percent", "-2.9", 1, ""),
    "in some (2.9%)": ("2.9%", "percent", "2.9", 1, ""),
    "a change of -2.9%": ("-2.9%", "percent", "-2.9", 1, ""),
    "a change of −2.9 %": ("−2.9 %", "percent", "-2.9", 1, ""),
    "costs of -$5 million": ("-$5 million", "money", "-5", 10**6, "USD"),
    "5 per cent of it": ("5 per cent", "percent", "5", 1, ""),
    "10 Percent Of It": ("10 Percent", "percent", "10", 1, ""),
    "five percent of it": ("five percent", "percent", "5", 1, ""),
    "Twenty-one patients": ("Twenty-one", "number", "21", 1, ""),
    "two thousand cars": ("two thousand", "number", "2", 1000, ""),
    "Two Thousand Cars": ("Two Thousand", "number", "2", 1000, ""),
    "3 Million Users": ("3 Million", "number", "3", 10**6, ""),
    "on June 9, 2019.": ("June 9, 2019", "date", "2019", 1, ""),
    "on 9th June 2019": ("9th June 2019", "date", "2019", 1, ""),
    "in Sept. 2019": ("Sept. 2019", "date", "2019", 1, ""),
    "on March 3": ("March 3", "date", "0", 1, ""),
    "on 3 March we": ("3 March", "date", "0", 1, ""),
    "May 15000 people": ("15000", "number", "15000", 1, ""),
    "born in 1999, he": ("1999", "year", "1999", 1, ""),
    "some 2019 mg": ("2019 mg", "number", "2019", 1, "mg"),
    "took 5mg": ("5mg", "number", "5", 1, "mg"),
    "took 5\u00a0mg": ("5\u00a0mg", "number", "5", 1, "mg"),
    "took 5 mg/kg": ("5 mg/kg", "number", "5", 1, "mg/kg"),
    "an 18-month-old": ("18-month", "number", "18", 1, "month"),
    "a 10-fold rise": ("10-fold", "number", "10", 1, "fold"),
    "up 5 basis points": ("5 basis points", "number", "5", 1, "basis points"),
    "1.5 million euros": ("1.5 million euros", "number", "1.5", 10**6, "euros"),
    "(n = 25) years of": ("25", "number", "25", 1, ""),
    "p<0.05": ("0.05", "number", "0.05", 1, ""),
    "of 1,234,567 rows": ("1,234,567", "number", "1234567", 1, ""),
}


@pytest.mark.parametrize("text", FOUND)
def test_one_value_as_spelled(text: str) -> None:
    [value] = values.find(text)
    spelled, kind, amount, magnitude, unit = FOUND[text]
    assert (value.text, value.kind, value.unit) == (spelled, kind, unit)
    assert (value.amount, value.magnitude) == (Decimal(amount), magnitude)
    assert value.scaled == Decimal(amount) * magnitude


@pytest.mark.parametrize(
    "text",
    [
        *("HCoV-229E", "2019-nCoV", "the 777X", "COVID-19", "a 10-K form", "IL-6", "H1N1", "B-52"),
        *("SARS-CoV-2", "in 5G networks", "the 3M stock", "Q3", "FY2019", "the 1980s", "the 1st"),
        *("version 3.5.2", "on 31.12.2019", "hundred", "the third", "March", "may"),
    ],
)
def test_codes_names_and_ordinals_are_no_values(text: str) -> None:
    assert values.find(text) == ()


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("10-15 mg", (10, 15)),
        ("5 - 10", (5, 10)),
        ("5%-10%", (5, 10)),
        ("5–10%", (5, 10)),
        ("from 1999 to 2005", (1999, 2005)),
        ("1999-2005", (1999, 2005)),
        ("a 3:1 ratio", (3, 1)),
        ("2 of 5", (2, 5)),
        ("June 9, 2019 and 2018", (2019, 2018)),
    ],
)
def test_ends_of_a_range_are_both_found_and_positive(text: str, amounts: tuple[int, int]) -> None:
    assert tuple(value.amount for value in values.find(text)) == amounts


@given(st.sampled_from(sorted(values.NUMBER_WORDS)))
def test_every_number_word_is_found_in_any_case(word: str) -> None:
    for said in (word, word.title(), word.upper()):
        (value,) = values.find(f"of {said}.")
        assert (value.text, value.amount) == (said, values.NUMBER_WORDS[word])


@given(st.sampled_from(values.MONTHS.split("|")), st.integers(1, 28))
def test_every_month_makes_a_date(month: str, day: int) -> None:
    for date in (f"{month} {day}, 1998", f"{day} {month} 1998", f"{month} 1998", f"{day} {month}"):
        assert [(v.text, v.kind) for v in values.find(f"on {date}")] == [(date, "date")]


PIECES = st.sampled_from(
    [
        *("$", "US$", "€", "(", ")", "-", "–", "%", " percent", " million", " Billion", " ", "\n"),
        *("5", "1,577", "12.50", "2019", "June", " 9, ", "mg", "-year", "seven", "fifty-two", "."),
        *(",", "/", "A", "x", "to", "basis points", "\u00a0", "CI", "n ="),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_spans_lie_inside_the_text_and_do_not_overlap(text: str) -> None:
    end = 0
    for value in values.find(text):
        assert end <= value.start < value.end <= len(text)
        assert text[value.start : value.end] == value.text == value.text.strip()
        assert value.start <= value.core[0] < value.core[1] <= value.end
        end = value.end
