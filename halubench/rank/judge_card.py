"""``judge.yaml`` beside a ``results.json``: what a reader wants to know of a judge, and no figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "judge.yaml"


class JudgeCard(BaseModel):
    """Every field but ``format`` may be left out; what is absent is shown as unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["halubench/judge/1"]
    title: str = Field("", max_length=80, description="Name to show; the results' own by default.")
    by: str = Field("", max_length=80, description="Who made the judge.")
    url: str = Field("", pattern=r"^(https://.*)?$", description="Where to read of it.")
    parameters_b: float | None = Field(
        None, gt=0, le=100_000, description="Parameters in billions (10^9), all experts counted."
    )
    openness: Literal["open", "weights", "closed", ""] = Field(
        "", description="open: weights and training data; weights: weights alone; closed: neither."
    )
    license: str = Field("", max_length=80, description="SPDX identifier, such as Apache-2.0.")
    note: str = Field("", max_length=400, description="One or two sentences for the judge's page.")


def load_card(path: Path) -> JudgeCard | None:
    """The card at ``path``; None where there is none. Raises InputError naming file and field."""
    if not path.is_file():
        return None
    try:
        return JudgeCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}.", "Mend the file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        known = "Fields: " + ", ".join(JudgeCard.model_fields)
        raise InputError(f"{path}: field {field}: {first['msg']}.", f"{known}.") from error


def schema() -> str:
    """The schema as the text of ``leaderboard/judge.schema.json``."""
    return json.dumps(JudgeCard.model_json_schema(), indent=1) + "\n"
