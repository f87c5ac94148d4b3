"""Counts tokens as the judge will read them: chat template and all, or the two texts of an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Example

Messages = tuple[tuple[str, str], ...]
CHARACTERS_A_TOKEN = 4.0
"""Where no tokenizer is at hand; English text under Llama-3's comes to 3.5 to 4.5."""
_BATCH = 256


class Tokenizer:
    """The tokens of whole chats under one tokenizer, its template included; or of an encoder's pairs.

    The template is rendered to text first and tokenised without special tokens of its own, which
    the text already holds: done in one go some tokenizers put a second BOS before it.
    """

    def __init__(self, source: str) -> None:
        """``source`` is a folder or Hub id. Raises InputError, or MissingExtraError."""
        self.source = source
        self._tokenizer: Any = _load(source)

    def count(self, chats: Sequence[Messages]) -> list[int]:
        """Tokens of each chat."""
        found: list[int] = []
        for start in range(0, len(chats), _BATCH):
            texts = [self._render(chat) for chat in chats[start : start + _BATCH]]
            read = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
            found.extend(map(len, read))
        return found

    @property
    def writes(self) -> bool:
        """Whether it is of a model that chats; an encoder's has no template."""
        return bool(self._tokenizer.chat_template)

    def count_pairs(self, examples: Sequence[Example]) -> list[int]:
        """Tokens of each row as an encoder reads it."""
        return [len(self._tokenizer(*encoded(one))["input_ids"]) for one in examples]

    def _render(self, chat: Messages) -> str:
        told = [{"role": role, "content": text} for role, text in chat]
        return str(self._tokenizer.apply_chat_template(told, tokenize=False))


def encoded(example: Example) -> tuple[str, str]:
    """Premise and hypothesis of a row, as ``judges/verdict.yaml`` puts them to an encoder."""
    return f"{example.question}\n{example.passage}", example.answer


def estimate(chats: Sequence[Messages]) -> list[int]:
    """Tokens of each chat by its length alone: to plan with, never to cut by."""
    return [round(sum(len(text) for _, text in chat) / CHARACTERS_A_TOKEN) for chat in chats]


def _load(source: str) -> Any:  # noqa: ANN401  (transformers types no common class)
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        what = "Counting tokens needs transformers, an optional part."
        raise MissingExtraError(
            what, "Install it with: pip install 'halubench[transformers]'."
        ) from error
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        what = f"There is no tokenizer in {source}: {str(error).splitlines()[0]}"
        raise InputError(what, "Give a folder or Hub id by --tokenizer.") from error
    return tokenizer
