"""What a server tells of its model's context and tokens (vLLM's and llama.cpp's own addresses)."""

from __future__ import annotations

from typing import Any

import aiohttp

from halubench.models.base import Ruler

_PATIENCE = aiohttp.ClientTimeout(total=10)


async def server_ruler(session: aiohttp.ClientSession, address: str, name: str) -> Ruler:
    """The context that ``/v1/models`` states (vLLM's ``max_model_len``, llama.cpp's ``n_ctx``),
    and counting by ``/tokenize``; None for what the server does not offer."""

    async def count(text: str) -> int | None:
        url = f"{address.removesuffix('/v1')}/tokenize"
        asked = {"model": name, "prompt": text, "content": text, "add_special_tokens": False}
        reply = await _json(session.post(url, json=asked, timeout=_PATIENCE))
        tokens = reply.get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    listed = await _json(session.get(f"{address}/models", timeout=_PATIENCE))
    context = _context(listed.get("data"), name)
    counts = context is not None and await count("a") is not None
    return Ruler(context, count if counts else None)


def _context(cards: object, name: str) -> int | None:
    known = [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
    card: dict[str, Any] = next((card for card in known if card.get("id") == name), {})
    meta = card.get("meta")
    stated = card.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else None)
    return stated if isinstance(stated, int) and stated > 0 else None


async def _json(asked: Any) -> dict[str, Any]:  # noqa: ANN401  (a request of aiohttp)
    """The object in a good answer; an empty one for any other."""
    try:
        async with asked as response:
            reply = await response.json() if response.status == 200 else {}
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return {}
    return reply if isinstance(reply, dict) else {}
