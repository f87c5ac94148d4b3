"""Tiny encoders, made and trained here in seconds: no weights are fetched for a test."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

NAMES = ["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal"]
THINGS = ["apples", "pears", "plums", "figs", "nuts", "limes"]
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "has",
    "many",
    "?",
    ".",
    "how",
    "filler",
    *"0123456789",
]
LIMIT = 48


def facts(seed: int, count: int) -> list[tuple[str, str, str, str]]:
    """(passage, question, answer, label): who has how many of what; FAIL states another number."""
    chance = random.Random(seed)
    rows = []
    for index in range(count):
        owner, thing, true, other = (
            chance.choice(NAMES),
            chance.choice(THINGS),
            *chance.sample("0123456789", 2),
        )
        label = "PASS" if index % 2 else "FAIL"
        answer = f"{true if label == 'PASS' else other} {thing}"
        rows.append((f"{owner} has {true} {thing} .", f"how many {thing} ?", answer, label))
    return rows


def save(
    folder: Path, labels: list[str], *, tokens: bool = False, seed: int = 0, limit: int = LIMIT
) -> Path:
    """A tiny BERT with those labels, untrained, and its tokenizer."""
    words = [*WORDS, *(word.lower() for word in [*NAMES, *THINGS])]
    tokenizer = transformers.BertTokenizerFast(
        vocab={word: index for index, word in enumerate(words)}, model_max_length=limit
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=limit,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        initializer_range=0.2,
    )
    task = "Token" if tokens else "Sequence"
    getattr(transformers, f"BertFor{task}Classification")(config).save_pretrained(folder)
    return folder


def train(folder: Path, rows: list[tuple[str, str, str, str]], fail: str, rate: float) -> None:
    """Fine-tune the sequence classifier of a folder on rows: FAIL is its label ``fail``, PASS its
    label ``entailment``."""
    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    label2id = model.config.label2id
    for start in range(0, len(rows), 32):
        passages, questions, answers, labels = zip(*rows[start : start + 32], strict=True)
        said = [f"{question} {answer}" for question, answer in zip(questions, answers, strict=True)]
        read = tokenizer(list(passages), said, padding=True, return_tensors="pt")
        wanted = [label2id["entailment" if label == "PASS" else fail] for label in labels]
        model(**read, labels=torch.tensor(wanted)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
