"""``replay:JOURNAL``: answers only from what another run has journalled; nothing is asked anew.

A journal with answers of more than one engine needs ``replay:JOURNAL#ID``, ID being the start of
the engine's name in it (:func:`halubench.run.identity_id`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from halubench.errors import EngineError, InputError
from halubench.models._payload import read_payload
from halubench.models.base import Prices, caveats
from halubench.run import Journal, canonical, request_key

if TYPE_CHECKING:
    from halubench.models.base import Completion, EngineOptions, Model, Request
    from halubench.records import Json


def open_model(spec: str, options: EngineOptions) -> Model:  # noqa: ARG001  (the contract)
    """The recorded engine. Raises InputError: no journal, or not exactly one engine meant."""
    path, _, prefix = spec.partition("#")
    journal = Journal(Path(path), read_only=True)
    known = journal.identities()
    meant = [identity for name, identity in known.items() if name.startswith(prefix)]
    if len(meant) != 1:
        listed = "; ".join(f"#{name} {canonical(identity)}" for name, identity in known.items())
        journal.close()
        raise InputError(
            f"{path} holds answers of {len(known)} engines, and {len(meant)} of them are meant.",
            f"Write replay:{path}#ID with one of: {listed or 'none'}.",
        )
    return ReplayModel(f"replay:{spec}", journal, meant[0])


class ReplayModel:
    """Answers as recorded, under the identity they were recorded with; free of charge."""

    def __init__(self, uri: str, journal: Journal, identity: dict[str, Json]) -> None:
        self.uri = uri
        self.notes = caveats(str(identity.get("model", "")))
        self._journal = journal
        self._identity = identity

    def prices(self) -> Prices:
        """Nothing."""
        return Prices(0.0, 0.0)

    def identity(self) -> dict[str, Json]:
        """That of the recorded engine: a replayed run has the keys of the first."""
        return self._identity

    async def complete(self, request: Request) -> Completion:
        """The recorded answer. Raises EngineError where there is none."""
        payload = self._journal.get(request_key(self._identity, request))
        if payload is None:
            start = request.messages[-1][1][:60] if request.messages else ""
            raise EngineError(
                f"{self.uri} has nothing recorded for the request that begins {start!r}.",
                "Replay with the same data, prompt and settings, or ask the engine itself.",
            )
        return replace(read_payload(payload), cost_usd=0.0)

    async def aclose(self) -> None:
        """Close the journal."""
        self._journal.close()
