"""Can an encoder tuned on the labels tell them from the answer alone? What the audit's linear probes
could miss.

    python benchmarks/tuned_probe.py ENCODER DATA [DATA ...]

fine-tunes ENCODER (a folder or Hub id; torch and transformers are needed) once for each of the audit's
five folds, in which no passage stands twice, and prints the AUROC of the pooled fold ranks with its
interval: of the answer, of question and answer, and of passage, question and answer. The audit's own
probes of the answer stand beside it. A GPU is used where there is one.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from halubench import dataset
from halubench.audit import probes
from halubench.audit.auc import auroc, interval
from halubench.audit.rows import Rows, fold_ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import BatchEncoding, PreTrainedModel

SEED, EPOCHS, BATCH, RATE = 0, 6, 32, 1e-4
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SEEN = {"answer": 128, "question and answer": 192, "all three": 512}
"""What the encoder is shown, and how many tokens of it."""


@dataclass(frozen=True)
class Encoder:
    """A checkpoint, opened anew for each fold."""

    name: str
    tokenizer: Any

    def fresh(self) -> PreTrainedModel:
        """The encoder with a new head."""
        torch.manual_seed(SEED)
        found = AutoModelForSequenceClassification.from_pretrained(self.name, num_labels=2)
        return found.to(DEVICE)

    def read(self, texts: list[tuple[str, str | None]], most: int) -> BatchEncoding:
        """The texts as tensors on the device; of one too long the second part loses its end."""
        left, right = [one for one, _ in texts], [one for _, one in texts]
        pair = [one or "" for one in right] if right[0] is not None else None
        cut = "only_second" if pair else True
        found = self.tokenizer(
            left, pair, truncation=cut, max_length=most, padding=True, return_tensors="pt"
        )
        return found.to(DEVICE)


def texts(rows: Rows, seen: str) -> list[tuple[str, str | None]]:
    """What the encoder is shown of each row."""
    shown = rows.examples
    if seen == "answer":
        return [(one.answer, None) for one in shown]
    if seen == "question and answer":
        return [(one.question, one.answer) for one in shown]
    return [(f"{one.question} {one.answer}", one.passage) for one in shown]


def tuned(encoder: Encoder, rows: Rows, seen: str) -> NDArray[np.float64]:
    """Out-of-fold P(FAIL) of each row (n,)."""
    told, scores = texts(rows, seen), np.zeros(len(rows.fail))
    for train, test in rows.folds:
        model = _fit(encoder, [told[i] for i in train], rows.fail[train], SEEN[seen])
        with torch.inference_mode(), _mixed():
            for start in range(0, len(test), 4 * BATCH):
                part = test[start : start + 4 * BATCH]
                logits = model.eval()(**encoder.read([told[i] for i in part], SEEN[seen])).logits
                scores[part] = logits.float().softmax(-1)[:, 1].cpu().numpy()
    return scores


def _fit(
    encoder: Encoder, told: list[tuple[str, str | None]], fail: NDArray[np.bool_], most: int
) -> PreTrainedModel:
    model, rng = encoder.fresh().train(), np.random.default_rng(SEED)
    steps = EPOCHS * (len(told) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimiser, steps // 10, steps)
    for _ in range(EPOCHS):
        order = rng.permutation(len(told))[: len(told) // BATCH * BATCH]
        for part in order.reshape(-1, BATCH):
            labels = torch.tensor(fail[part].astype(int), device=DEVICE)
            with _mixed():
                loss = model(**encoder.read([told[i] for i in part], most), labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
    return model


def _mixed() -> torch.autocast:
    return torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda")


def told_of(scores: NDArray[np.float64], rows: Rows) -> str:
    """AUROC and interval of out-of-fold scores."""
    ranks = fold_ranks(scores, rows)
    low, high = interval(ranks, rows.fail, rows.groups, SEED)
    return f"{auroc(ranks, rows.fail):.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Probe each dataset."""
    name, *places = sys.argv[1:]
    encoder = Encoder(name, AutoTokenizer.from_pretrained(name))
    print(f"{Path(name).name} on {DEVICE}, {EPOCHS} epochs, AUROC [95 %]")
    for place in places:
        rows = Rows.of(dataset.load(place).examples, SEED)
        print(f"{place}: {len(rows.fail)} rows; answer, linear: ", end="")
        print(told_of(probes.answer_scores(rows), rows), flush=True)
        for seen in SEEN:
            print(f"  {seen}, tuned: {told_of(tuned(encoder, rows, seen), rows)}", flush=True)


if __name__ == "__main__":
    main()
