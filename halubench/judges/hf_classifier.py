"""``hf-classifier:NAME``, ``hf-classifier:REPO_OR_DIR``, ``hf-classifier:NAME@REPO_OR_DIR``: an
encoder that scores answers.

NAME is a file of ``judges/``, which says how a row becomes premise and hypothesis and what the
model's labels mean; a repository or folder by itself takes the file that lists it or has its
labels. Needs the extra ``transformers``.

A premise too long for the model is cut into windows that overlap by a quarter. What one window
supports is supported, so each unit (the answer, or each token of it) takes its least P(FAIL) over
the windows, and an answer of tokens then the most over its tokens: SummaC (Laban et al. 2022, TACL
10) and AlignScore (Zha et al. 2023, ACL) aggregate so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from halubench.errors import InputError
from halubench.judges import _hf as hf
from halubench.judges._package import package
from halubench.judges.encoders import fitting, named
from halubench.judges.local import LocalJudge
from halubench.judges.modes import verdict_of
from halubench.judges.overflow import too_long
from halubench.models.base import batches
from halubench.records import Prediction, Unscored
from halubench.results import JudgeInfo
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from halubench.judges.base import JudgeOptions
    from halubench.judges.encoders import Encoder
    from halubench.judges.overflow import Policy
    from halubench.records import Json, Overflow, Row

    Floats = NDArray[np.float64]

ROWS = 64
"""Rows scored, and kept, at a time."""
BATCH_TOKENS = 8192
"""Tokens of a forward pass, padding included."""
LEAST_ROOM = 16
"""Tokens of the premise that a window must have room for."""
NO_ROOM = "the answer alone fills the judge's context"
NO_ANSWER = "the answer has no tokens"


def open_judge(spec: str, options: JudgeOptions) -> LocalJudge:
    """The encoder of that name, repository or folder.

    Raises MissingExtraError without transformers and torch, InputError for a model that cannot be
    loaded, is no classifier, or whose labels nobody explains.
    """
    encoder, model = _named(spec)
    config = hf.config(model)
    encoder = encoder or fitting(model, hf.labels(config), hf.is_tokens(config))
    scorer = EncoderScorer(model, config, encoder, options.length.overflow)
    folder = Path(model)
    uri = f"hf-classifier:{spec.replace(model, folder.name) if folder.is_dir() else spec}"
    info = JudgeInfo(
        name=uri,
        uri=uri,
        kind="classifier",
        prompt_hash=digest(encoder.model_dump_json())[:16],
        identity={**hf.identity(model, config), **scorer.settings()},
    )
    return LocalJudge(info, scorer, options.folder)


def _named(spec: str) -> tuple[Encoder | None, str]:
    """The file and the model of ``NAME``, ``NAME@REPO_OR_DIR`` or ``REPO_OR_DIR``."""
    name, at, model = spec.partition("@")
    encoder = named(name)
    if encoder is None:
        return None, spec
    if not at and not encoder.model:
        raise InputError(
            f"judges/{name}.yaml names no model.", f"Give hf-classifier:{name}@REPO_OR_DIR."
        )
    return encoder, model or encoder.model


@dataclass(frozen=True, slots=True)
class _Window:
    """One input of the model; ``answer`` are the places of the hypothesis' tokens in it, and
    ``spans`` their characters in the hypothesis."""

    row: int
    inputs: dict[str, list[int]]
    answer: list[int]
    spans: list[tuple[int, int]]
    overflow: Overflow

    def __len__(self) -> int:
        return len(self.inputs["input_ids"])


class EncoderScorer:
    """Scores rows with a sequence or token classifier, on the GPU where there is one."""

    batch = ROWS

    def __init__(
        self,
        model: str,
        config: Any,  # noqa: ANN401  (a configuration of transformers)
        encoder: Encoder,
        overflow: Policy,
    ) -> None:
        """Raises InputError where the model lacks a label of the file."""
        labels = hf.labels(config)
        self._path = model
        self._encoder = encoder
        self._overflow = overflow
        self._pass = _places(model, labels, encoder.pass_labels)
        self._fail = _places(model, labels, encoder.fail_labels)
        if not encoder.fail_labels and len(labels) != 1:
            raise InputError(
                f"judges/{encoder.name}.yaml has no fail_labels, and {model} has {len(labels)} "
                "outputs.",
                f"Write fail_labels; its labels are {', '.join(labels)}.",
            )
        self._tokenizer = hf.tokenizer(model)
        self._limit = encoder.max_length or hf.longest(self._tokenizer, config)
        self._model: Any = None

    def settings(self) -> dict[str, Json]:
        """What, besides the model and the file, decides a score."""
        return {"max_length": self._limit, "overflow": self._overflow}

    def check(self, rows: Sequence[Row]) -> None:
        if self._overflow != "error":
            return
        pairs = [self._encoder.texts(row) for row in rows]
        lengths = (len(self._tokenizer(*pair)["input_ids"]) for pair in pairs)
        long = [row.id for row, n in zip(rows, lengths, strict=True) if n > self._limit]
        if long:
            raise too_long(self._path, long, len(rows), self._limit)

    def score(self, rows: Sequence[Row]) -> list[Prediction]:
        windows = [each for index, row in enumerate(rows) for each in self._windows(index, row)]
        found: dict[int, list[tuple[_Window, Floats]]] = {}
        for batch in batches(sorted(windows, key=len), len, BATCH_TOKENS):
            for window, p_fail in zip(batch, self._p_fails(batch), strict=True):
                found.setdefault(window.row, []).append((window, p_fail))
        return [self._prediction(row, found.get(index, [])) for index, row in enumerate(rows)]

    def _windows(self, index: int, row: Row) -> list[_Window]:
        """The row as one or more inputs; none where the hypothesis leaves no room."""
        premise, hypothesis = self._encoder.texts(row)
        room = self._limit - len(self._tokenizer("", hypothesis)["input_ids"])
        if room < LEAST_ROOM:
            return []
        read = self._tokenizer(
            premise,
            hypothesis,
            truncation="only_first",
            max_length=self._limit,
            stride=room // 4,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        count = len(read["input_ids"])
        if count == 1:
            return [_window(read, 0, index, "")]
        if self._overflow == "truncate":
            return [_window(read, 0, index, "truncated")]
        return [_window(read, i, index, "windowed") for i in range(count)]

    def _p_fails(self, windows: Sequence[_Window]) -> list[Floats]:
        """P(FAIL) of each window: one number, or one for each token of its answer."""
        if self._model is None:
            self._model = hf.load(self._path, self._encoder.kind)
        inputs = self._tokenizer.pad(
            [window.inputs for window in windows], padding_side="right", return_tensors="pt"
        )
        with package("torch", hf.INSTALL).inference_mode():
            logits = self._model(**inputs.to(self._model.device)).logits
        shares = self._shares(logits.double().cpu().numpy())
        if self._encoder.kind == "pair":
            return [share[None] for share in shares]
        return [share[window.answer] for share, window in zip(shares, windows, strict=True)]

    def _shares(self, logits: Floats) -> Floats:
        """FAIL's share of what the last axis gives to PASS and FAIL."""
        if not self._fail:
            single: Floats = 1 / (1 + np.exp(logits[..., 0]))
            return single
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        failing = odds[..., self._fail].sum(-1)
        shares: Floats = failing / (failing + odds[..., self._pass].sum(-1))
        return shares

    def _prediction(self, row: Row, read: list[tuple[_Window, Floats]]) -> Prediction:
        if not read:
            return Prediction(row.id, "", Unscored(NO_ROOM), attempts=1)
        units = np.min([p_fail for _, p_fail in read], axis=0)
        if not units.size:
            return Prediction(row.id, "", Unscored(NO_ANSWER), attempts=1)
        p_fail, window = float(units.max()), read[0][0]
        return Prediction(
            row.id,
            "",
            verdict_of(p_fail, self._encoder.threshold),
            p_fail,
            reasoning=self._unsupported(row, units, window),
            prompt_tokens=sum(len(each) for each, _ in read),
            cost_usd=0.0,
            attempts=1,
            overflow=window.overflow,
        )

    def _unsupported(self, row: Row, units: Floats, window: _Window) -> str:
        """The parts of the answer whose tokens are above the threshold, one a line."""
        if self._encoder.kind == "pair":
            return ""
        parts: list[tuple[int, int]] = []
        for (start, end), p_fail in zip(window.spans, units.tolist(), strict=True):
            if p_fail <= self._encoder.threshold or start == end:
                continue
            joins = parts and not row.answer[parts[-1][1] : start].strip()
            parts.append((parts.pop()[0] if joins else start, end))
        return "\n".join(row.answer[start:end].strip() for start, end in parts)


def _window(
    read: Any,  # noqa: ANN401  (what a tokenizer of transformers returns)
    i: int,
    row: int,
    overflow: Overflow,
) -> _Window:
    places = [place for place, part in enumerate(read.sequence_ids(i)) if part == 1]
    spans = [tuple(read["offset_mapping"][i][place]) for place in places]
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = {name: read[name][i] for name in names if name in read}
    return _Window(row, inputs, places, cast("list[tuple[int, int]]", spans), overflow)


def _places(model: str, labels: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """The outputs of those labels, in any case."""
    known = [label.lower() for label in labels]
    missing = [label for label in wanted if label.lower() not in known]
    if missing:
        raise InputError(
            f"{model} has no label {missing[0]!r}.",
            f"It has: {', '.join(labels)}. Name those in the file of judges/.",
        )
    return [known.index(label.lower()) for label in wanted]
