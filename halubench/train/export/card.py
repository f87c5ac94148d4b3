"""The model card of a trained judge, written from what was recorded and measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, StrictUndefined

from halubench.errors import InputError
from halubench.results import Estimate, Results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.train.export.licence import Terms
    from halubench.train.export.release import Ask

_TEMPLATE = Path(__file__).with_name("card.md.jinja")


def render(ask: Ask, manifest: Mapping[str, Any], terms: Terms) -> str:
    """The card as markdown with the Hub's YAML metadata. Raises InputError for bad results."""
    environment = Environment(  # noqa: S701  (markdown, not HTML)
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["figure"] = _figure
    found = [_results(path) for path in ask.results]
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        front=_front(ask, manifest, terms),
        name=ask.out.name,
        weights=ask.format,
        base=public(manifest["base_model"]),
        recipe=manifest["recipe"],
        rows=manifest["rows"],
        steps=manifest["steps"],
        versions=manifest["versions"],
        prompt=manifest["data"]["asked"]["prompt"],
        prompt_hash=manifest["prompt_hash"],
        terms=terms.sentences,
        results=found,
    )


def _front(ask: Ask, manifest: Mapping[str, Any], terms: Terms) -> str:
    classifier = manifest["recipe"].get("kind") == "classifier"
    front: dict[str, Any] = {
        "license": terms.license,
        **({"license_name": "see below"} if terms.license == "other" else {}),
        "language": ["en"],
        "pipeline_tag": "text-classification" if classifier else "text-generation",
        "tags": ["hallucination", "faithfulness", "llm-as-a-judge", "halubench"],
    }
    if manifest["base_model"].count("/") == 1:  # A repository, and no folder of some machine.
        front["base_model"] = manifest["base_model"]
        front["base_model_relation"] = "finetune" if ask.format == "safetensors" else "quantized"
    if not ask.format.startswith("gguf"):
        front["library_name"] = "transformers"
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n"


def public(model: str) -> str:
    """The name of a model; of a folder its last part, for its path is nobody's business."""
    return Path(model).name if Path(model).exists() else model


def _results(path: Path) -> Results:
    try:
        return Results.model_validate(json.loads((path / "results.json").read_text("utf-8")))
    except (OSError, ValueError) as error:
        what = f"{path} holds no readable results: {str(error).splitlines()[0]}"
        raise InputError(what, "Give a folder that `halubench evaluate` wrote.") from error


def _figure(value: Estimate) -> str:
    if value.value is None:
        return "undefined"
    if value.low is None or value.high is None:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
