"""The JSON schema of ``results.json``: ``python -m halubench.rank.schema > leaderboard/schema.json``."""

from __future__ import annotations

import json
import sys

from halubench.results import Results


def schema() -> str:
    """The schema as the text of ``leaderboard/schema.json``."""
    return json.dumps(Results.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
