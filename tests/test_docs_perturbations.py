"""perturbations/README.md names every field, operator and kind of site that there is."""

import re
from typing import get_args

from docs_blocks import ROOT

from halubench.perturb import definitions
from halubench.perturb.operators import OPERATORS

PAGE = (ROOT / "perturbations/README.md").read_text("utf-8")


def table(heading: str) -> set[str]:
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", part.partition("|-")[2], re.MULTILINE))


def test_the_tables_name_every_field_and_operator() -> None:
    assert table("Fields") == set(definitions.Perturbation.model_fields)
    assert table("Rules") == set(OPERATORS)


def test_what_a_rule_reads_is_explained() -> None:
    fields = set(definitions.Rule.model_fields) - {"operator"}
    named = {*fields, *get_args(definitions.SiteKind), *get_args(definitions.Relation)}
    assert {name for name in named if f"`{name}`" not in PAGE} == set()
