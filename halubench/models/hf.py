"""``hf:REPO_OR_DIR``: a causal language model run by transformers in this process.

``hf:DIR?dtype=bfloat16&device_map=auto`` hands any argument of ``from_pretrained`` on. It needs
nothing but transformers, and is slower than vLLM, which is to be preferred where it runs.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from itertools import groupby
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, MissingExtraError
from halubench.models._local import LocalModel, chat_tokens, likeliest
from halubench.models.base import Completion, batches

if TYPE_CHECKING:
    from collections.abc import Generator

    from halubench.models._local import Part
    from halubench.models.base import EngineOptions, Model, Request

ROWS, TOKENS = 64, 8192
"""The most prompts in one forward pass, and the most tokens with their padding (one always fits)."""
UNKNOWN_CONTEXT = 4096
_SOURCE = ("revision", "trust_remote_code")
"""Settings that configuration and tokenizer share with the weights."""


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of a repository or folder; the weights are loaded when first asked."""
    return HfModel(spec, options)


class HfModel(LocalModel):
    """One ``AutoModelForCausalLM`` with its tokenizer."""

    scheme = "hf"
    _config: Any = None
    _model: Any = None
    _tokenizer: Any = None

    def __init__(self, spec: str, options: EngineOptions) -> None:
        super().__init__(spec, options)
        self.part = options.window

    def open(self) -> None:
        if not (find_spec("torch") and find_spec("transformers")):
            raise MissingExtraError(
                "hf: needs torch and transformers.", "Run: pip install 'halubench[transformers]'"
            )
        from transformers import AutoConfig, AutoTokenizer

        same = {name: self.settings[name] for name in _SOURCE if name in self.settings}
        with self._reading():
            self._config = AutoConfig.from_pretrained(self.name, **same).get_text_config()
            self._tokenizer = AutoTokenizer.from_pretrained(self.name, padding_side="left", **same)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def load(self) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        settings = {"dtype": "auto", **self.settings}
        if torch.cuda.is_available():
            settings.setdefault("device_map", "auto")
        with self._reading():
            self._model = AutoModelForCausalLM.from_pretrained(self.name, **settings).eval()

    @contextmanager
    def _reading(self) -> Generator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(
                f"transformers cannot load {self.name}: {str(error).strip().splitlines()[0][:200]}",
                "Check the name and the settings after the question mark.",
            ) from error

    def unload(self) -> None:
        self._model = None

    def context(self) -> int:
        return int(getattr(self._config, "max_position_embeddings", None) or UNKNOWN_CONTEXT)

    def tokens(self, request: Request) -> list[int]:
        return chat_tokens(self._tokenizer, request, self.name)

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def run(self, part: Part) -> list[Completion]:
        """In batches of like decoding and like length; the answers are in the order asked."""
        if any(request.schema is not None for _, request in part):
            note = f"{self.uri} constrains no answer; the prompt alone asks for JSON."
            self.notes += [note] if note not in self.notes else []
        places = sorted(range(len(part)), key=lambda i: (_alike(part[i][1]), len(part[i][0])))
        answers: dict[int, Completion] = {}
        for (temperature, *_), run in groupby(places, key=lambda i: _alike(part[i][1])):
            rows = 1 if temperature > 0 else ROWS  # What is drawn stands alone.
            for batch in batches(run, lambda i: len(part[i][0]), TOKENS, rows):
                answers.update(zip(batch, self._batch([part[i] for i in batch]), strict=True))
        return [answers[i] for i in range(len(part))]

    def _batch(self, part: Part) -> list[Completion]:
        import torch

        first = part[0][1]
        inputs = self._tokenizer.pad(
            {"input_ids": [tokens for tokens, _ in part]}, return_tensors="pt"
        ).to(self._model.device)
        with torch.inference_mode():
            made = self._model.generate(**inputs, **self._decoding(first))
        tops = self._tops(made.logits, first.top_logprobs, len(part))
        width = inputs["input_ids"].shape[1]
        return [
            self._completion(len(tokens), row.tolist(), request, top)
            for (tokens, request), row, top in zip(
                part, made.sequences[:, width:], tops, strict=True
            )
        ]

    def _tops(self, logits: Any, most: int, rows: int) -> list[list[tuple[str, float]]]:  # noqa: ANN401
        """(token, natural log probability) of each row's likeliest first tokens."""
        if not most:
            return [[]] * rows
        first = logits[0].float()
        values, ids = first.log_softmax(-1).topk(most)
        return [
            [(self._tokenizer.decode([i]), value) for i, value in zip(*row, strict=True)]
            for row in zip(ids.tolist(), values.tolist(), strict=True)
        ]

    def _decoding(self, request: Request) -> dict[str, Any]:
        """Greedy unless a temperature was asked for; the checkpoint's own sampling never counts."""
        import torch

        sampling = request.sampling
        decoding: dict[str, Any] = {
            "max_new_tokens": sampling.max_tokens,
            "do_sample": sampling.temperature > 0,
            "pad_token_id": self._tokenizer.pad_token_id,
            "return_dict_in_generate": True,
            "output_logits": request.top_logprobs > 0,
        }
        if sampling.temperature > 0:
            torch.manual_seed((sampling.seed or 0) + request.sample)
            return {
                **decoding,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        return {**decoding, "temperature": None, "top_p": None, "top_k": None}

    def _completion(
        self, asked: int, row: list[int], request: Request, top: list[tuple[str, float]]
    ) -> Completion:
        ends = self._model.generation_config.eos_token_id
        stops = set(ends if isinstance(ends, list) else [ends])
        length = next((place for place, token in enumerate(row) if token in stops), None)
        said = row if length is None else row[:length]
        return Completion(
            text=self._tokenizer.decode(said, skip_special_tokens=True),
            finish_reason="length" if length is None else "stop",
            prompt_tokens=asked,
            completion_tokens=len(said) if length is None else len(said) + 1,
            first_logprobs=likeliest(top, request.top_logprobs),
            cost_usd=0.0,
        )


def _alike(request: Request) -> tuple[float, float, int, int, int, int]:
    """What requests of one batch must have in common."""
    one = request.sampling
    seed = -1 if one.seed is None else one.seed
    return (one.temperature, one.top_p, one.max_tokens, seed, request.top_logprobs, request.sample)
