"""What the GPUs of a plan can do, and what others have published of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from halubench import content
from halubench.errors import InputError
from halubench.train.strict import Strict, read

_ASKED = re.compile(r"(?:(\d+)\s*[x×*]\s*)?([A-Za-z][\w-]*)", re.IGNORECASE)
A_NODE = 8
"""GPUs a node, where nothing else is said."""


class Gpu(Strict):
    """One file of ``trainers/gpus/``; ``bf16_tflops`` is the dense peak, in 10^12 a second."""

    name: str
    memory_gib: float
    bf16_tflops: float
    source: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """``count`` GPUs of one kind; ``gpu`` is None on a CPU, where count is 0."""

    count: int
    gpu: Gpu | None

    def __str__(self) -> str:
        return f"{self.count} x {self.gpu.name}" if self.gpu else "CPU"

    @property
    def nodes(self) -> int:
        """Nodes of eight GPUs each."""
        return max(1, -(-self.count // A_NODE))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A published speed: tokens a second and GPU, and the share of the peak that it comes to."""

    who: str
    setting: str
    tokens_a_second: float
    mfu: float
    url: str


ANCHORS = (
    Anchor(
        "LLM Foundry",
        "MPT-70B, 32 H100, sequences of 2,048, bf16",
        882,
        0.36,
        "https://github.com/mosaicml/llm-foundry/tree/main/scripts/train/benchmarking",
    ),
    Anchor(
        "torchtitan",
        "Llama 3.1 8B, 8 H100, sequences of 8,192, bf16, compiled",
        6667,
        0.37,
        "https://github.com/pytorch/torchtitan/blob/main/benchmarks",
    ),
    Anchor(
        "NeMo AutoModel",
        "Llama 3 70B, 64 H100",
        867,
        0.399,
        "https://github.com/NVIDIA-NeMo/Automodel/blob/main/docs/performance-summary.md",
    ),
)
"""As their owners publish them; they differ in how they count FLOPs."""


def cluster(asked: str) -> Cluster:
    """``32xH100``, ``H200`` or ``cpu``. Raises InputError naming the known GPUs."""
    if asked.strip().casefold() == "cpu":
        return Cluster(0, None)
    found = _ASKED.fullmatch(asked.strip())
    known = {gpu.name.casefold(): gpu for gpu in gpus()}
    if not found or found[2].casefold() not in known or found[1] == "0":
        names = ", ".join(gpu.name for gpu in known.values())
        raise InputError(
            f"{asked!r} names no known GPUs.", f"Write 8xH100. Known: {names}; or cpu."
        )
    return Cluster(int(found[1] or 1), known[found[2].casefold()])


def gpus() -> list[Gpu]:
    """Every known kind, a user's file hiding a shipped namesake."""
    files = content.files("trainers/gpus", ".yaml")
    return [read(path, Gpu, "trainers/README.md") for path in files]
