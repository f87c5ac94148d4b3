"""Requests for an engine that takes many together: group by group, journal, ceiling, input order."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from halubench.models._budget import Budget
from halubench.models._payload import read_payload, write_payload
from halubench.models.base import CallFailure, Completion
from halubench.run import request_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping
    from typing import TypeVar

    from halubench.models.base import BulkModel, Request
    from halubench.models.scheduler import Limits
    from halubench.run import Journal

    K = TypeVar("K")


async def complete_groups(
    model: BulkModel, requests: Iterable[tuple[K, Request]], journal: Journal, limits: Limits
) -> AsyncGenerator[tuple[K, Completion | CallFailure]]:
    """As :func:`halubench.models.scheduler.complete_all`, of which this is a part."""
    identity = model.identity()
    journal.remember(identity)
    budget = None if limits.max_usd is None else Budget(model, limits.max_usd)
    source = iter(requests)
    while group := list(islice(source, model.group)):
        keys = [request_key(identity, request) for _, request in group]
        known = {key for key in set(keys) if journal.get(key) is not None}
        asked = {key: one for key, (_, one) in zip(keys, group, strict=True) if key not in known}
        admitted = asked if budget is None else await _admitted(asked, budget)
        failures: dict[str, CallFailure] = {}
        async with aclosing(model.complete_many(admitted, journal, limits.retries)) as outcomes:
            async for key, outcome in outcomes:
                if isinstance(outcome, CallFailure):
                    failures[key] = outcome
                else:
                    journal.put(key, write_payload(outcome))
                if budget is not None and key in admitted:
                    budget.settle(budget.bound(admitted[key]), outcome)
        for (name, _), key in zip(group, keys, strict=True):
            if budget is not None and key in asked and key not in admitted:
                raise budget.error()
            payload = journal.get(key)
            if payload is None:
                yield name, failures[key]
            else:
                yield name, replace(read_payload(payload), cached=key in known)
                known.add(key)


async def _admitted(asked: Mapping[str, Request], budget: Budget) -> dict[str, Request]:
    """As many of the first requests as the ceiling allows, taken together."""
    admitted: dict[str, Request] = {}
    for key, request in asked.items():
        if not budget.fits(budget.bound(request)):
            break
        await budget.admit(budget.bound(request))
        admitted[key] = request
    return admitted
