"""A judge that writes its verdict: TRL's SFTTrainer on prompts and completions."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from halubench.errors import InputError
from halubench.train import packing
from halubench.train.engine import labels, packed, settings, sharding, twins
from halubench.train.engine.flops import arithmetic
from halubench.train.engine.validation import Validation, Writer, answer_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.train.engine.job import Job, Listener
    from halubench.train.engine.labels import Tokens
    from halubench.train.engine.watch import Figures
    from halubench.train.recipe import Recipe


class JudgeTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer with the recipe's schedule, counting the tokens it reads."""

    recipe: Recipe
    figures: Figures

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The recipe's warm-up and cosine, over the steps that this data makes."""
        return settings.attach_schedule(self, self.recipe, num_training_steps, optimizer)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One micro-batch."""
        self.figures.saw(document_lengths(inputs))
        return super().training_step(model, inputs, *args, **kwargs)


def build(job: Job, listener: Listener) -> JudgeTrainer:
    """Load, check and put together everything that :func:`work.train` runs.

    Raises InputError where the data does not fit the model or the recipe, MissingExtraError.
    """
    recipe = job.recipe
    tokenizer = load_tokenizer(job.model)
    train = labels.encode(job.data.train, tokenizer, recipe.sequence_length)
    validation = labels.encode(job.data.validation, tokenizer, recipe.sequence_length)
    listener.say(covered(train[0], tokenizer))
    model = load(job, listener)
    counted = arithmetic(model)
    trainer = JudgeTrainer(
        model=model,
        args=sharding.insist(_arguments(job), recipe),
        train_dataset=_packed(train, job, listener) if recipe.packing else _dataset(train),
        eval_dataset=_dataset(validation) if validation else None,
        processing_class=tokenizer,
        optimizer_cls_and_kwargs=settings.optimizer(recipe),
        peft_config=settings.lora(recipe, "CAUSAL_LM"),
    )
    trainer.recipe = recipe
    if not recipe.packing:
        twins.together(trainer, job)
    settings.check_masters(trainer.model, recipe)
    limit = answer_limit([sum(t != labels.IGNORED for t in row.labels) for row in validation])
    reader = Writer(tokenizer, limit)
    trainer.figures = settings.watch_over(trainer, job, listener, counted)
    trainer.add_callback(Validation(job, listener, reader))
    return trainer


def load_tokenizer(model: str) -> Any:
    """Of a folder or Hub id. Raises InputError where there is none."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        what = f"There is no tokenizer in {model}: {str(error).splitlines()[0]}"
        raise InputError(what, "Give a model folder or Hub id by --model.") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def covered(row: Tokens, tokenizer: Any) -> str:
    """What the loss of a row covers, decoded, to be seen."""
    kept = [token for token in row.labels if token != labels.IGNORED]
    return (
        f"The loss covers {len(kept):,} of {len(row.labels):,} tokens of row {row.id}: "
        f"{tokenizer.decode(kept)!r}"
    )


def load(job: Job, listener: Listener) -> Any:
    """The model to train; weights in the type of the recipe's masters.

    Under LoRA the frozen weights are in the type of the computation, or in 4 bits (QLoRA).
    """
    recipe = job.recipe
    settings.check_precision(recipe)
    frozen = torch.bfloat16 if recipe.precision.compute == "bf16" else torch.float32
    options: dict[str, Any] = {
        "dtype": torch.float32 if recipe.method == "full" else frozen,
        "attn_implementation": attention(recipe, listener),
    }
    if recipe.method == "qlora":
        options["quantization_config"] = settings.four_bits()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(job.model, **options)
    except (OSError, ValueError) as error:
        what = f"{job.model} cannot be loaded: {str(error).splitlines()[0]}"
        raise InputError(what, "Give a model folder or Hub id by --model.") from error
    model.config.use_cache = False
    if recipe.compile:  # Layer by layer, before FSDP2: one graph serves them all.
        for layer in model.get_decoder().layers:
            layer.compile()
    return model


def attention(recipe: Recipe, listener: Listener) -> str:
    """The recipe's attention where it can run here; where not, one that is as exact.

    That is torch's own flash kernel for packed rows on a GPU, else SDPA.
    """
    if recipe.attention != "flash_attention_2":
        return recipe.attention
    gpu = torch.cuda.is_available()
    if gpu and find_spec("flash_attn"):
        return recipe.attention
    why = "flash-attn is not installed" if gpu else "there is no GPU"
    if recipe.packing and recipe.precision.compute == "bf16" and packed.available():
        listener.say(f"Attention by torch's own flash kernel: {why}.")
        return packed.register()
    listener.say(f"Attention by SDPA instead of flash attention 2: {why}.")
    return "sdpa"


def document_lengths(inputs: dict[str, Any]) -> list[int]:
    """The tokens of each document of a batch, packed or padded."""
    if "attention_mask" in inputs:
        lengths: list[int] = inputs["attention_mask"].sum(dim=-1).tolist()
        return lengths
    positions = inputs["position_ids"].flatten()
    starts = [*torch.nonzero(positions == 0).flatten().tolist(), len(positions)]
    return [after - start for start, after in pairwise(starts)]


def _arguments(job: Job) -> SFTConfig:
    recipe = job.recipe
    return SFTConfig(
        **settings.common(job),
        max_length=None,  # Nothing is longer than the sequence: labels.encode refuses it.
        padding_free=recipe.packing,
        completion_only_loss=True,
        prediction_loss_only=True,
        dataset_kwargs=None,
    )


def _dataset(rows: Sequence[Tokens]) -> Dataset:
    return Dataset.from_list([{"input_ids": r.input_ids, "labels": r.labels} for r in rows])


def _packed(rows: Sequence[Tokens], job: Job, listener: Listener) -> Dataset:
    """Sequences of whole rows, twins in the same one; ``seq_lengths`` says where each row ends."""
    kindred = twins.kindred(job.data.train)
    most = job.recipe.sequence_length
    sequences = packing.pack([len(row.input_ids) for row in rows], most, kindred)
    apart = packing.apart(sequences, kindred)
    if apart:
        listener.say(
            f"{apart:,} of {len(kindred):,} questions have answers in more than one sequence: "
            f"together they are longer than {most:,} tokens."
        )
    packs = [[rows[at] for at in sequence] for sequence in sequences]
    return Dataset.from_list(
        [
            {
                "input_ids": [token for row in pack for token in row.input_ids],
                "labels": [label for row in pack for label in row.labels],
                "seq_lengths": [len(row.input_ids) for row in pack],
            }
            for pack in packs
        ]
    )
