"""What the manifests of a recipe's parts say together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Manifests = Sequence[dict[str, Any]]


def joined(manifests: Manifests) -> dict[str, Any]:
    """The sections of one manifest that can be added up over its parts."""
    return {
        "stages": _stages(manifests),
        "candidates": _candidates(manifests),
        "perturbations": _perturbations(manifests),
        "jury": _jury(manifests),
        "cost": _cost(manifests),
    }


def _stages(manifests: Manifests) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for manifest in manifests:
        for stage in manifest["stages"]:
            empty = {"stage": stage["stage"], "entered": 0, "kept": 0, "rejected": {}}
            whole = found.setdefault(stage["stage"], empty)
            whole["entered"] += stage["entered"]
            whole["kept"] += stage["kept"]
            whole["rejected"] = dict(Counter(whole["rejected"]) + Counter(stage["rejected"]))
    return list(found.values())


def _candidates(manifests: Manifests) -> dict[str, Any]:
    told = [manifest["candidates"] for manifest in manifests]
    refused = sum((Counter(one["refused"]) for one in told), Counter[str]())
    unusable = sum((Counter(one["unusable_answers"]) for one in told), Counter[str]())
    return {
        "proposed": sum(one["proposed"] for one in told),
        "passed": sum(one["passed"] for one in told),
        "refused": dict(sorted(refused.items())),
        "unusable_answers": dict(sorted(unusable.items())),
    }


def _jury(manifests: Manifests) -> dict[str, Any]:
    """The juries of all parts together; agreement is each part's own."""
    told = [manifest["jury"] for manifest in manifests]
    verdicts = sum((Counter(one["verdicts"]) for one in told), Counter[str]())
    by_class: dict[float, Counter[str]] = {}
    for one in (each for jury in told for each in jury["hardness"]):
        counts = Counter({"kept": one["kept"], "dropped": one["dropped"]})
        by_class[one["at_most"]] = by_class.get(one["at_most"], Counter()) + counts
    return {
        "jurors": told[0]["jurors"] if told else [],
        "pairs": sum(one["pairs"] for one in told),
        "verdicts": dict(sorted(verdicts.items())),
        "second_pass": sum(one["second_pass"] for one in told),
        "proven_by_code": sum(one["proven_by_code"] for one in told),
        "hardness": [
            {"at_most": most, "kept": count["kept"], "dropped": count["dropped"]}
            for most, count in sorted(by_class.items())
        ],
        "fleiss_kappa": None,
        "wordings": told[0]["wordings"] if told else {},
    }


def _perturbations(manifests: Manifests) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for name, told in (pair for one in manifests for pair in one["perturbations"].items()):
        before = found.get(name, {"pairs": 0})["pairs"]
        found[name] = {**told, "pairs": before + told["pairs"]}
    return dict(sorted(found.items()))


def _cost(manifests: Manifests) -> dict[str, Any]:
    """Over all parts; the price is unknown where that of one is."""
    bills = [one["cost"] for one in manifests]
    usd = [bill["cost_usd"] for bill in bills]
    counted = ("calls", "prompt_tokens", "completion_tokens")
    return {name: sum(bill[name] for bill in bills) for name in counted} | {
        "cost_usd": None if None in usd else round(sum(usd), 6)
    }
