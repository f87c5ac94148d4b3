"""A model's shape: its parameters, and what a token costs in arithmetic and memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halubench import content
from halubench.errors import InputError
from halubench.train.strict import Strict, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halubench.train.recipe import Lora


class Shape(Strict):
    """The numbers of a Hugging Face ``config.json`` that decide size and speed.

    ``gated``: the feed-forward part has three matrices (gate, up, down), else two.
    ``kind``: ``decoder`` writes through an output head of the vocabulary's size.
    """

    repo: str
    source: str
    kind: str = "decoder"
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    tie_word_embeddings: bool
    head_dim: int | None = None
    gated: bool = True

    @property
    def head_size(self) -> int:
        """The width of one attention head."""
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @property
    def query_size(self) -> int:
        """The width of all heads of one token; most models, not all, have ``hidden_size``."""
        return self.head_size * self.num_attention_heads

    @property
    def key_value_size(self) -> int:
        """The width of keys (and of values) of one token: smaller with grouped queries."""
        return self.head_size * self.num_key_value_heads

    def layer_parameters(self) -> int:
        """Parameters of one layer: attention, feed-forward and two norms."""
        attention = 2 * self.hidden_size * (self.query_size + self.key_value_size)
        feed_forward = (3 if self.gated else 2) * self.hidden_size * self.intermediate_size
        return attention + feed_forward + 2 * self.hidden_size

    def embedding_parameters(self) -> int:
        """Parameters of the embedding and of the output head, where that is not the same."""
        matrices = 1 if self.tie_word_embeddings or self.kind != "decoder" else 2
        return matrices * self.vocab_size * self.hidden_size

    def parameters(self) -> int:
        """All parameters, the final norm included."""
        layers = self.num_hidden_layers * self.layer_parameters()
        return layers + self.embedding_parameters() + self.hidden_size

    def lora_parameters(self, lora: Lora) -> int:
        """Parameters of the adapters: rank times (in + out) of every target, in every layer.

        Raises InputError for a target that is not a matrix of this architecture.
        """
        sizes = {
            "q_proj": (self.hidden_size, self.query_size),
            "k_proj": (self.hidden_size, self.key_value_size),
            "v_proj": (self.hidden_size, self.key_value_size),
            "o_proj": (self.query_size, self.hidden_size),
            "gate_proj": (self.hidden_size, self.intermediate_size),
            "up_proj": (self.hidden_size, self.intermediate_size),
            "down_proj": (self.intermediate_size, self.hidden_size),
        }
        unknown = [name for name in lora.target_modules if name not in sizes]
        if unknown:
            what = f"lora.target_modules names {unknown[0]}, no matrix of {self.repo}."
            raise InputError(what, f"Known: {', '.join(sizes)}.")
        a_layer = sum(sum(sizes[name]) for name in lora.target_modules)
        return lora.rank * a_layer * self.num_hidden_layers

    def arithmetic(self, *, adapters: bool = False) -> Arithmetic:
        """What training multiplies, with all parameters as the weights.

        Beside ``adapters`` the weights get no gradient, which saves a third of their work.
        """
        weights = self.parameters() * (2 / 3 if adapters else 1)
        return Arithmetic(weights, self.num_hidden_layers, self.query_size)


@dataclass(frozen=True, slots=True)
class Work:
    """Floating-point operations, forward and backward, of some documents.

    ``full`` counts the whole square of attention (PaLM, Chowdhery et al. 2022, arXiv 2204.02311,
    appendix B: 6 N + 12 L H S a token); ``causal`` only the half that a causal mask leaves
    (6 N + 6 L H S). Recomputed activations count in neither.
    """

    full: float = 0.0
    causal: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.full + other.full, self.causal + other.causal)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``weights``: parameters that a token is multiplied by; attention's ``layers`` and ``width``
    (heads times head size)."""

    weights: float
    layers: int
    width: int

    def work(self, lengths: Iterable[int]) -> Work:
        """Of documents of so many tokens, each attending to itself alone."""
        known = list(lengths)
        linear = 6.0 * self.weights * sum(known)
        square = 6.0 * self.layers * self.width * sum(length * length for length in known)
        return Work(linear + 2 * square, linear + square)


def shape_of(model: str) -> Shape:
    """The shape of a folder with a ``config.json``, or of a model that ``trainers/models/`` knows.

    Raises InputError naming the known ones.
    """
    if (Path(model) / "config.json").is_file():
        return from_config(Path(model) / "config.json")
    known = [read(path, Shape, "trainers/README.md") for path in content.files(_FOLDER, ".yaml")]
    for shape in known:
        if shape.repo.casefold() == model.casefold():
            return shape
    raise InputError(
        f"The shape of {model} is not known here.",
        f"Name a folder with its config.json by --model; known: {', '.join(s.repo for s in known)}.",
    )


def from_config(path: Path) -> Shape:
    """The shape that a ``config.json`` tells. Raises InputError naming a key that it lacks."""
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    try:
        return Shape(
            repo=str(path.parent),
            source=str(path),
            kind="decoder" if "CausalLM" in str(told.get("architectures")) else "encoder",
            vocab_size=told["vocab_size"],
            hidden_size=told["hidden_size"],
            intermediate_size=told["intermediate_size"],
            num_hidden_layers=told["num_hidden_layers"],
            num_attention_heads=told["num_attention_heads"],
            num_key_value_heads=told.get("num_key_value_heads", told["num_attention_heads"]),
            max_position_embeddings=told["max_position_embeddings"],
            tie_word_embeddings=told.get("tie_word_embeddings", False),
            head_dim=told.get("head_dim"),
        )
    except (KeyError, TypeError, ValueError) as error:
        remedy = "Give the folder of a Hugging Face model by --model."
        raise InputError(f"{path} does not tell the model's shape: {error}.", remedy) from error


_FOLDER = "trainers/models"
