"""Prepared rows as token ids and labels: the loss covers the completion and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

IGNORED = -100
"""The label that torch's cross-entropy leaves out."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Tokens:
    """One row: ``labels`` are ``input_ids`` on the completion and -100 on the prompt."""

    id: str
    input_ids: list[int]
    labels: list[int]


def encode(rows: Sequence[Any], tokenizer: Any, limit: int) -> list[Tokens]:
    """All rows through the chat template of ``tokenizer``, none longer than ``limit`` tokens.

    A longer one would be cut at its end, where the verdict stands, so that it is an error.
    Raises InputError naming the rows, or what is wrong with the template.
    """
    _check_template(tokenizer)
    ends = stops(tokenizer)
    found = [_encode(row, tokenizer, ends) for row in rows]
    long = [row for row in found if len(row.input_ids) > limit]
    if long:
        longest = max(len(row.input_ids) for row in long)
        named = ", ".join(f"{row.id} ({len(row.input_ids):,})" for row in long[:_NAMED])
        raise InputError(
            f"{len(long):,} of {len(found):,} rows are longer than sequence_length {limit:,} "
            f"(the longest: {longest:,} tokens): {named}{' …' if len(long) > _NAMED else ''}.",
            "Prepare the data for this length (it counts what it leaves out), or raise it.",
        )
    return found


def prompt_ids(row: Any, tokenizer: Any) -> list[int]:
    """The prompt as the model sees it when it judges."""
    return _ids(tokenizer, row.prompt, add_generation_prompt=True)


def _encode(row: Any, tokenizer: Any, ends: set[int]) -> Tokens:
    prompt = prompt_ids(row, tokenizer)
    whole = _ids(tokenizer, [*row.prompt, *row.completion], add_generation_prompt=False)
    if whole[: len(prompt)] != prompt:
        raise InputError(
            f"Row {row.id}: the chat template renders the prompt alone differently from the "
            "prompt before an answer.",
            "Use a template in which the generation prompt is how an answer starts.",
        )
    whole = _ended(row.id, whole, len(prompt), ends)
    return Tokens(row.id, whole, [*[IGNORED] * len(prompt), *whole[len(prompt) :]])


def _ended(name: str, whole: list[int], start: int, ends: set[int]) -> list[int]:
    """Up to and with the token that ends the answer; without one the model never stops."""
    last = max((at for at in range(start, len(whole)) if whole[at] in ends), default=None)
    if last is None:
        raise InputError(
            f"Row {name}: the chat template ends an answer with none of the tokens that end "
            "generation.",
            "Set eos_token in the tokenizer's configuration to the token that ends a turn.",
        )
    return whole[: last + 1]


def stops(tokenizer: Any) -> set[int]:
    """The ids that may end an answer: the eos token, and Llama 3's and ChatML's end of a turn."""
    names = ("<|eot_id|>", "<|im_end|>", "<|end|>")
    known = tokenizer.get_vocab()
    return {tokenizer.eos_token_id, *(known[name] for name in names if name in known)} - {None}


def _check_template(tokenizer: Any) -> None:
    if not tokenizer.chat_template:
        raise InputError(
            f"The tokenizer {tokenizer.name_or_path} has no chat template.",
            "Train from an instruction-tuned model, or give its tokenizer a chat template.",
        )
    start = tokenizer.bos_token_id
    ids = _ids(tokenizer, [{"role": "user", "content": "?"}], add_generation_prompt=True)
    if start is not None and ids[:2] == [start, start]:
        raise InputError(
            "The chat template writes the token that begins a text twice.",
            "Take bos_token out of the template, or out of the tokenizer's post-processor.",
        )


def _ids(tokenizer: Any, messages: Sequence[Any], *, add_generation_prompt: bool) -> list[int]:
    # Tokenized by the template itself: tokenizing its text again would double the first token.
    found: list[int] = tokenizer.apply_chat_template(
        [*messages],
        tokenize=True,
        add_generation_prompt=add_generation_prompt,
        return_dict=False,
    )
    return found
