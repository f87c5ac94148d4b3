"""What every form of export is given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from halubench.errors import InputError
from halubench.judges.modes import ModeOptions, open_mode
from halubench.prompt import load_prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.judges.modes import Mode, ModeName
    from halubench.mistakes import Case
    from halubench.results import Results


@dataclass(frozen=True, slots=True)
class Job:
    """One judge's results and every row that it judged."""

    results: Results
    cases: Sequence[Case]

    @property
    def name(self) -> str:
        """The benchmark's name, of letters, digits and underscores."""
        return re.sub(r"\W+", "_", self.results.data.name).strip("_").lower() or "benchmark"

    def mode(self, *held: ModeName) -> Mode:
        """How the judge was asked.

        Raises InputError unless it is a model in one of the modes that a form can hold.
        """
        judge = self.results.judge
        for name in held:
            if judge.kind == "prompted" and judge.mode == name:
                return open_mode(ModeOptions(name))
        known = " or ".join(held)
        raise InputError(
            f"{judge.name!r} is no model in mode {known}, so there is no prompt to export.",
            f"Give results of a model in --mode {known}.",
        )

    def messages(self) -> list[list[dict[str, str]]]:
        """The chat messages that the judge was sent, by row.

        Raises InputError where the prompt is not as it was.
        """
        judge = self.results.judge
        prompt = load_prompt("judge", judge.prompt)
        if prompt.hash != judge.prompt_hash:
            raise InputError(
                f"{prompt.path} has changed since {judge.name!r} was asked.",
                "Put the prompt back, or evaluate again.",
            )
        examples = [case.example for case in self.cases]
        rendered = (
            prompt.messages(question=row.question, passage=row.passage, answer=row.answer)
            for row in examples
        )
        return [[{"role": role, "content": text} for role, text in parts] for parts in rendered]

    def lines(self) -> str:
        """``data.jsonl``: a row a line, with its messages, label, source and passage group."""
        rows = zip(self.cases, self.messages(), strict=True)
        return "".join(
            json.dumps(
                {
                    "id": case.example.id,
                    "messages": messages,
                    "label": case.example.label,
                    "source_ds": case.example.source_ds,
                    "group": case.row.group,
                },
                ensure_ascii=False,
            )
            + "\n"
            for case, messages in rows
        )

    def render(self, template: str, **values: object) -> str:
        """A template of this package, given the results and the name too."""
        environment = Environment(  # noqa: S701  (Python and YAML; every value passes tojson)
            loader=PackageLoader("halubench.export", "."),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )
        return environment.get_template(template).render(
            results=self.results, name=self.name, **values
        )
