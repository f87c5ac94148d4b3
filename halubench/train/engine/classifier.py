"""A cross-encoder that tells PASS from FAIL in one pass: transformers' own Trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from halubench.errors import InputError
from halubench.train.engine import settings, sharding, twins
from halubench.train.engine.causal import attention, load_tokenizer
from halubench.train.engine.validation import Validation
from halubench.train.tokens import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Verdict
    from halubench.train.engine.data import Row
    from halubench.train.engine.job import Job, Listener
    from halubench.train.engine.watch import Figures
    from halubench.train.recipe import Recipe

LABELS = ("PASS", "FAIL")
"""Class 1 is FAIL, the positive class; ``hf-classifier:`` reads the names in the config."""
_NAMED = 5


class ClassifierTrainer(Trainer):  # type: ignore[misc]
    """Trainer with the recipe's schedule, counting the tokens it reads."""

    recipe: Recipe
    figures: Figures

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The recipe's warm-up and cosine, over the steps that this data makes."""
        return settings.attach_schedule(self, self.recipe, num_training_steps, optimizer)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One micro-batch."""
        self.figures.saw(inputs["attention_mask"].sum(dim=-1).tolist())
        return super().training_step(model, inputs, *args, **kwargs)


def build(job: Job, listener: Listener) -> ClassifierTrainer:
    """Load, check and put together everything that :func:`work.train` runs. Raises InputError."""
    recipe = job.recipe
    settings.check_precision(recipe)
    tokenizer = load_tokenizer(job.model)
    train = encode(job.data.train, tokenizer, recipe.sequence_length)
    validation = encode(job.data.validation, tokenizer, recipe.sequence_length)
    trainer = ClassifierTrainer(
        model=_adapted(_load(job, listener), recipe),
        args=sharding.insist(TrainingArguments(**settings.common(job)), recipe),
        train_dataset=Dataset.from_list(train),
        eval_dataset=Dataset.from_list(validation) if validation else None,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        optimizer_cls_and_kwargs=settings.optimizer(recipe),
    )
    trainer.recipe = recipe
    twins.together(trainer, job)
    # The heads that classify take a mean over their micro-batch and ignore how many rows the batch
    # has in all; the trainer, told that they do not, averages over micro-batches and processes.
    trainer.model_accepts_loss_kwargs = False
    settings.check_masters(trainer.model, recipe)
    trainer.figures = settings.watch_over(trainer, job, listener, None)
    trainer.add_callback(Validation(job, listener, Classifier(tokenizer)))
    return trainer


def encode(rows: Sequence[Row], tokenizer: Any, limit: int) -> list[dict[str, Any]]:
    """Each row as (question and passage, answer), with its class.

    Raises InputError naming the rows that are longer than ``limit`` tokens or than the model
    reads: a cut would take a part of the passage that may be the support.
    """
    most = min(limit, int(getattr(tokenizer, "model_max_length", limit)))
    found: list[dict[str, Any]] = [
        {**tokenizer(*encoded(row.example)), "labels": LABELS.index(row.example.label)}
        for row in rows
    ]
    long = [
        f"{row.id} ({len(one['input_ids']):,})"
        for row, one in zip(rows, found, strict=True)
        if len(one["input_ids"]) > most
    ]
    if long:
        more = " …" if len(long) > _NAMED else ""
        raise InputError(
            f"{len(long):,} of {len(rows):,} rows are longer than {most:,} tokens: "
            f"{', '.join(long[:_NAMED])}{more}.",
            "Prepare the data for this length (it counts what it leaves out).",
        )
    return found


class Classifier:
    """A classifier's verdicts: ``p_fail`` is the softmax of its two classes."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, model: Any, rows: Sequence[Row]) -> list[tuple[Verdict, float | None]]:
        pairs = [encoded(row.example) for row in rows]
        batch = self._tokenizer(pairs, padding=True, truncation=False, return_tensors="pt")
        logits = model(**batch.to(model.device)).logits.float()
        shares: list[float] = logits.softmax(dim=-1)[:, 1].tolist()
        return [("FAIL" if share > 0.5 else "PASS", share) for share in shares]


def _load(job: Job, listener: Listener) -> Any:
    """The model without dropout: its noise differs between twins, and is larger than their edit."""
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            job.model,
            dtype=torch.float32,
            attn_implementation=attention(job.recipe, listener),
            num_labels=len(LABELS),
            id2label=dict(enumerate(LABELS)),
            label2id={name: at for at, name in enumerate(LABELS)},
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError) as error:
        what = f"{job.model} cannot be loaded: {str(error).splitlines()[0]}"
        raise InputError(what, "Give a model folder or Hub id by --model.") from error
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def _adapted(model: Any, recipe: Recipe) -> Any:
    adapters = settings.lora(recipe, "SEQ_CLS")
    if adapters is None:
        return model
    from peft import get_peft_model

    return get_peft_model(model, adapters)
