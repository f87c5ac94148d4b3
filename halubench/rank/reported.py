"""What others report of their judges: cited, shown apart, never ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "leaderboard/reported"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportedRow(_Strict):
    """One judge's figures in percent; ``n`` rows judged, where the source says."""

    judge: str
    overall: float = Field(ge=0, le=100)
    scores: dict[str, float] = {}
    n: int | None = None
    caveat: str = ""


class Reported(_Strict):
    """One table of someone else's, in ``leaderboard/reported/NAME.yaml``.

    ``overall_is`` says whether Overall is the unweighted mean of the sources or a share of rows;
    ``read`` where the figures were read (the document itself, or a secondary reading).
    """

    format: Literal["halubench/reported/1"]
    name: str = ""
    title: str
    benchmark: str
    source: str
    url: str = Field(pattern=r"^https://")
    read: str
    metric: str
    overall_is: str
    positive_class: str
    caveat: str = ""
    sources: list[str] = []
    rows: list[ReportedRow] = Field(min_length=1)


def load_reported(only: str | None = None) -> list[Reported]:
    """Every reported table by file name, the user's own hiding a shipped namesake.

    ``only``: that one, or none at all for "none". Raises InputError (unknown name or key).
    """
    if only == "none":
        return []
    if only is not None:
        return [_load(content.find(f"{FOLDER}/{only}.yaml"))]
    return [_load(path) for path in content.files(FOLDER, ".yaml")]


def _load(path: Path) -> Reported:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        table = Reported.model_validate(raw).model_copy(update={"name": path.stem})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}.", "Mend the file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {key}: {first['msg']}.", "Mend or remove that key.") from error
    for row in table.rows:
        if row.scores and set(row.scores) != set(table.sources):
            odd = ", ".join(sorted(set(row.scores) ^ set(table.sources)))
            raise InputError(
                f"{path}: the scores of {row.judge!r} and `sources` differ in {odd}.",
                "Give every source of the table, or none.",
            )
    return table
