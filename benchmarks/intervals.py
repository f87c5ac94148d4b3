"""Do the intervals hold what they say, and what do they cost?

    python benchmarks/intervals.py [SAMPLES]

Coverage: samples of 150 passages of two rows (twins), whose rows are right or wrong together more
often than by chance; how often the 95 % interval holds the true value. Cost: 2,000 resamples of
14,900 rows, together and by source, domain, perturbation and level, beside what one scikit-learn
AUROC for each resample and slice would take.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from halubench.metrics.bootstrap import Slice, score

SLICES = (1, 6, 3, 25, 3)
METRICS = ("accuracy", "balanced_accuracy", "fail_f1", "mcc", "pair_accuracy", "auroc", "brier")


def sample(rng: np.random.Generator, passages: int) -> Slice:
    """Twins; P(FAIL) has noise of the passage and of the row."""
    labels = np.tile([0, 1], passages)
    passage = np.repeat(np.arange(passages), 2)
    noise = 0.8 * rng.standard_normal(passages)[passage] + 0.8 * rng.standard_normal(2 * passages)
    p_fail = 1 / (1 + np.exp(-(2.0 * labels - 1.0 + noise)))
    verdicts = (p_fail > 0.5).astype(np.int64)
    verdicts[rng.random(len(labels)) < 0.02] = 2
    return Slice(labels, verdicts, p_fail, passage, passage)


def coverage(samples: int, seed: int = 0) -> dict[str, float]:
    """The share of samples whose interval holds the value of one very large sample."""
    rng = np.random.default_rng(seed)
    truth = score(sample(rng, 400_000), 0, resamples=0)
    held = dict.fromkeys(METRICS, 0)
    for number in range(samples):
        found = score(sample(rng, 150), number, resamples=1000)
        for name in METRICS:
            true, told = getattr(truth, name).value, getattr(found, name)
            held[name] += told.low <= true <= told.high
    return {name: count / samples for name, count in held.items()}


def cost(slices: int) -> tuple[float, float, float]:
    """Seconds (wall, CPU) of all metrics of 14,900 rows, then of as many rows by slices, with 2,000
    resamples; and of as many plain AUROCs."""
    rows = sample(np.random.default_rng(1), 7450)
    parts = [rows.take(np.flatnonzero(rows.pairs % slices == each)) for each in range(slices)]
    wall, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        score(part, 0)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    start = time.process_time()
    for _ in range(20):
        for part in parts:
            roc_auc_score(part.labels, part.p_fail)
    return wall, cpu, (time.process_time() - start) * 100


if __name__ == "__main__":
    cost(100)  # imports and warms up
    figures = np.array([cost(slices) for slices in SLICES])
    for slices, (wall, cpu, peer) in zip(SLICES, figures, strict=True):
        print(f"{slices} slices, every metric: {wall:.2f} s wall, {cpu:.2f} s CPU; AUROC alone by")
        print(f"  scikit-learn: {peer:.1f} s CPU, {peer / cpu:.1f} times as much")
    wall, cpu, peer = figures.sum(0)
    print(f"all: {wall:.2f} s wall, {cpu:.2f} s CPU, scikit-learn {peer / cpu:.1f} times as much")
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for name, share in coverage(samples).items() if samples else ():
        print(f"{name}: 95 % intervals hold the true value in {100 * share:.1f} % of {samples}")
