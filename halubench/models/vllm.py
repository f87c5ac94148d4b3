"""``vllm:REPO_OR_DIR``: vLLM in this process, without a server.

``vllm:DIR?tensor_parallel_size=8&max_model_len=16384`` hands any of vLLM's engine arguments on
(https://docs.vllm.ai/en/stable/configuration/engine_args.html); several nodes go through vLLM's own
``distributed_executor_backend=ray``. Prefix caching is on, and rows of a shared passage run together.
"""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, MissingExtraError
from halubench.models._local import LocalModel, chat_tokens, likeliest
from halubench.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import Generator

    from halubench.models._local import Part
    from halubench.models.base import EngineOptions, Model, Request


_STRUCTURED = {"backend": "xgrammar", "disable_any_whitespace": True}
"""Free white space would let a weak model fill its answer with blank lines."""


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of a repository or folder; the weights are loaded when first asked."""
    return VllmModel(spec, options)


class VllmModel(LocalModel):
    """One ``vllm.LLM``, which batches and shares prefixes by itself."""

    scheme = "vllm"
    cached_tokens = prompt_tokens = 0
    """Of all prompts so far: how many tokens there were, and how many the prefix cache held."""
    _config: Any = None
    _llm: Any = None
    _tokenizer: Any = None

    def open(self) -> None:
        arguments = _package("vllm.engine.arg_utils").EngineArgs
        with self._reading():
            self._config = arguments(model=self.name, **self.settings).create_model_config()
            read = _package("vllm.tokenizers").cached_tokenizer_from_config
            self._tokenizer = read(self._config)

    def load(self) -> None:
        settings = {
            "enable_prefix_caching": True,
            "structured_outputs_config": _STRUCTURED,
            **self.settings,
        }
        with self._reading():
            made = _package("vllm").LLM(model=self.name, disable_log_stats=True, **settings)
        self._llm, self._config = made, made.llm_engine.model_config

    @contextmanager
    def _reading(self) -> Generator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
            raise EngineError(
                f"vLLM cannot load {self.name}: {reason[:200]}",
                "Check the name, the settings after the question mark, and the memory.",
            ) from error

    def unload(self) -> None:
        self._llm = None

    def forget(self) -> None:
        """Empty the prefix cache."""
        if self._llm is not None:
            self._llm.reset_prefix_cache()

    def context(self) -> int:
        return int(self._config.max_model_len)

    def tokens(self, request: Request) -> list[int]:
        return chat_tokens(self._tokenizer, request, self.name)

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def run(self, part: Part) -> list[Completion]:
        outputs = self._llm.generate(
            [{"prompt_token_ids": tokens} for tokens, _ in part],
            [_parameters(request) for _, request in part],
            use_tqdm=False,
        )
        return [
            self._completion(output, request)
            for output, (_, request) in zip(outputs, part, strict=True)
        ]

    def _completion(self, output: Any, request: Request) -> Completion:  # noqa: ANN401
        said = output.outputs[0]
        self.prompt_tokens += len(output.prompt_token_ids)
        self.cached_tokens += output.num_cached_tokens or 0
        first = said.logprobs[0].values() if request.top_logprobs and said.logprobs else ()
        pairs = [(str(token.decoded_token), float(token.logprob)) for token in first]
        return Completion(
            text=said.text,
            finish_reason=said.finish_reason or "",
            prompt_tokens=len(output.prompt_token_ids),
            completion_tokens=len(said.token_ids),
            first_logprobs=likeliest(pairs, request.top_logprobs),
            cost_usd=0.0,
        )


def _parameters(request: Request) -> Any:  # noqa: ANN401
    sampling = request.sampling
    schema = None if request.schema is None else dict(request.schema)
    constraint = _package("vllm.sampling_params").StructuredOutputsParams
    return _package("vllm").SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        seed=None if sampling.seed is None else sampling.seed + request.sample,
        logprobs=request.top_logprobs or None,
        structured_outputs=None if schema is None else constraint(json=schema),
    )


def _package(name: str) -> Any:  # noqa: ANN401  (vllm has no types that are at hand here)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = error.name or "vllm"
        what = "vllm: needs the package vllm" + (
            "." if missing == "vllm" else f" in a version that has {missing}."
        )
        raise MissingExtraError(what, "Run: pip install --upgrade 'halubench[vllm]'") from None
