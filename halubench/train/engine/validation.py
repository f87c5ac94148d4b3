"""Judges the validation rows after each epoch as ``halubench evaluate`` would score them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import torch
from transformers import TrainerCallback

from halubench import near
from halubench.judges.parse import parse_verdict_text
from halubench.metrics.bootstrap import score
from halubench.metrics.summary import arrays
from halubench.predictions import Judged
from halubench.records import Prediction
from halubench.text import digest, pair_key
from halubench.train.engine import sharding
from halubench.train.engine.labels import prompt_ids, stops
from halubench.train.engine.watch import append

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Verdict
    from halubench.results import Scores
    from halubench.train.engine.data import Row
    from halubench.train.engine.job import Job, Listener

    Said = tuple[Verdict, float | None]

T = TypeVar("T")
_AT_ONCE = 8
_RESAMPLES = 200
_SPARE_TOKENS = 32


class Reader(Protocol):
    """Judges rows by the model as it stands."""

    def __call__(self, model: Any, rows: Sequence[Row]) -> list[Said]:
        """One verdict a row, with ``p_fail`` where there is one."""
        ...


class Validation(TrainerCallback):  # type: ignore[misc]
    """Judges a sample of the validation rows, dealt to all processes, and logs the metrics."""

    def __init__(self, job: Job, listener: Listener, reader: Reader) -> None:
        order = sorted(job.data.validation, key=lambda row: digest("validate", row.id))
        self._rows = order[: job.validate]
        self._job, self._listener, self._reader = job, listener, reader

    def on_epoch_end(self, args: object, state: Any, control: Any, **kwargs: Any) -> None:
        del args
        if not self._rows or not control.should_evaluate:  # Stopped within the epoch.
            return
        said = self._judge(kwargs["model"])
        if state.is_world_process_zero:
            found = scores(self._rows, said).model_dump(mode="json")
            entry = {"step": state.global_step, "epoch": state.epoch, "validation": found}
            append(self._job.log, entry)
            self._listener.judged(state.epoch, found)

    def _judge(self, model: Any) -> list[Said]:
        training = model.training
        model.eval()
        said: list[Said] = []
        with torch.no_grad():
            for start in range(0, len(self._rows), _AT_ONCE * sharding.world()):
                said += self._batch(model, self._rows[start : start + _AT_ONCE * sharding.world()])
        model.train(training)
        return said

    def _batch(self, model: Any, rows: Sequence[Row]) -> list[Said]:
        """Every process judges its share; of sharded weights none may be left out of a turn."""
        mine = rows[sharding.rank() :: sharding.world()] or rows[:1]
        shares = _gathered(self._reader(model, mine))
        return [shares[at % sharding.world()][at // sharding.world()] for at in range(len(rows))]


class Writer:
    """A causal model's verdicts: greedy, from the judge prompt, read as an answer is read."""

    def __init__(self, tokenizer: Any, limit: int) -> None:
        """``limit``: the most tokens that an answer may have."""
        self._tokenizer, self._limit = tokenizer, limit

    def __call__(self, model: Any, rows: Sequence[Row]) -> list[Said]:
        prompts = [prompt_ids(row, self._tokenizer) for row in rows]
        width = max(map(len, prompts))
        pad = self._tokenizer.pad_token_id
        padded = [[pad] * (width - len(ids)) + ids for ids in prompts]
        mask = [[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts]
        written = model.generate(
            input_ids=torch.tensor(padded, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            max_new_tokens=self._limit,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=pad,
            eos_token_id=sorted(stops(self._tokenizer)),
            synced_gpus=sharding.world() > 1,
        )
        texts = self._tokenizer.batch_decode(written[:, width:], skip_special_tokens=True)
        return [(parse_verdict_text(text)[0], None) for text in texts]


def answer_limit(lengths: Sequence[int]) -> int:
    """The tokens a validation answer may have: the longest completion's and a few."""
    return max(lengths, default=0) + _SPARE_TOKENS


def scores(rows: Sequence[Row], said: Sequence[Said]) -> Scores:
    """All rows' metrics, as ``results.json`` has them, with fewer bootstrap draws."""
    groups = near.groups([row.example.passage for row in rows])
    judged = [_judged(*one) for one in zip(rows, groups, said, strict=True)]
    return score(arrays(judged), seed=0, resamples=_RESAMPLES)


def _judged(row: Row, group: str, said: Said) -> Judged:
    shown = row.example
    pair = pair_key(shown.source_ds, shown.passage, shown.question)
    prediction = Prediction(row.id, "validation", *said)
    return Judged(shown.source_ds, shown.label, group, pair, "", "", "", prediction)


def _gathered(mine: T) -> list[T]:
    if sharding.world() == 1:
        return [mine]
    shares: list[Any] = [None] * sharding.world()
    torch.distributed.all_gather_object(shares, mine)
    return shares
