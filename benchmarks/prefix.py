"""What the order of rows is worth to vLLM's prefix cache: rows of shared passages, ordered as the
engine orders them against shuffled, with a cache that is smaller than all passages together (as any
is for a whole benchmark).

Run ``python benchmarks/prefix.py CHECKPOINT`` where vLLM is installed.
"""

from __future__ import annotations

import asyncio
import random
import sys
from time import perf_counter
from typing import TYPE_CHECKING, cast

from halubench.models.base import EngineOptions, Request, Sampling
from halubench.models.vllm import VllmModel, open_model

if TYPE_CHECKING:
    from collections.abc import Sequence

PASSAGES, ROWS = 16, 4
BLOCK, BLOCKS = 128, 24
"""Tokens of a block (vLLM's own choice on a CPU), and how many the cache has: six passages."""
SETTINGS = (
    f"dtype=float32&max_model_len=1024&max_num_seqs=2&enforce_eager=true"
    f"&block_size={BLOCK}&num_gpu_blocks_override={BLOCKS}"
)


def requests() -> list[Request]:
    """One verdict token each; about 500 tokens of passage."""
    words = random.Random(0)
    made: list[Request] = []
    for _ in range(PASSAGES):
        passage = " ".join(
            words.choice(["river", "stone", "cloud", "seven", "paper", "green"]) for _ in range(450)
        )
        made += [
            Request((("user", f"{passage} Answer {row}: so?"),), Sampling(max_tokens=1))
            for row in range(ROWS)
        ]
    return made


async def measure(model: VllmModel, rows: Sequence[Request]) -> tuple[int, int, float]:
    """(tokens of all prompts, tokens computed, seconds), the cache being empty at first."""
    await model.in_thread(model.forget)
    before, held, start = model.prompt_tokens, model.cached_tokens, perf_counter()
    await model.in_thread(model.outcomes, rows)
    asked = model.prompt_tokens - before
    return asked, asked - (model.cached_tokens - held), perf_counter() - start


async def main() -> None:
    """Print both, each twice, in alternation."""
    model = cast("VllmModel", open_model(f"{sys.argv[1]}?{SETTINGS}", EngineOptions()))
    ordered = sorted(requests(), key=lambda request: request.messages)
    shuffled = random.Random(1).sample(ordered, len(ordered))
    await measure(model, ordered[:2])
    for _ in range(2):
        for name, rows in (("ordered", ordered), ("shuffled", shuffled)):
            asked, computed, seconds = await measure(model, rows)
            print(
                f"{name}: {computed} of {asked} prompt tokens computed, {seconds:.1f} s", flush=True
            )
    await model.aclose()


if __name__ == "__main__":
    asyncio.run(main())
