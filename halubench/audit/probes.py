"""The shortcut probes: how well each tells the label without reading answer against passage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from halubench import shortcuts
from halubench.audit import places, rules
from halubench.audit.auc import auroc, interval
from halubench.audit.report import Ngram, Probe, Rule
from halubench.audit.rows import Rows, fold_ranks, out_of_fold, sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from halubench.audit.rows import Scores

WORD = r"(?u)\w+(?:[.,'’]\w+)*"


@dataclass(frozen=True, slots=True)
class Spec:
    """A probe: how rows are scored and told, its gate, and its definition for the reader; ``whole``:
    a sample of the rows would not do."""

    name: str
    title: str
    score: Callable[[Rows], Scores]
    rule: Callable[[Rows], Rule | None]
    low: float
    high: float
    method: str
    cost: float = 1.0
    whole: bool = False


def measure(spec: Spec, rows: Rows) -> Probe:
    """The probe's AUROC on these rows or a sample of them, with its interval and best simple rule."""
    rows = rows if spec.whole else rows.sample
    told = spec.rule(rows) if 0 < rows.fail.sum() < len(rows.fail) else None
    if reason := rows.too_few():
        return Probe(name=spec.name, auroc=None, rows=len(rows.fail), rule=told, note=reason)
    scores = spec.score(rows)
    low, high = interval(scores, rows.fail, rows.groups, rows.seed)
    value = auroc(scores, rows.fail)
    return Probe(name=spec.name, auroc=value, low=low, high=high, rows=len(scores), rule=told)


def _pooled(features: NDArray[np.float64] | csr_matrix, rows: Rows) -> Scores:
    return fold_ranks(out_of_fold(features, rows), rows)


def _lengths(rows: Rows) -> Scores:
    return np.array([shortcuts.length(example) for example in rows.examples])


def _length_rule(rows: Rows) -> Rule:
    wording = rules.Wording(
        "answer longer than {} characters is FAIL", "answer of at most {} characters is FAIL"
    )
    return rules.threshold_rule(_lengths(rows), rows.fail, wording)


def _format(rows: Rows) -> Scores:
    return _pooled(shortcuts.surface_features(rows.examples), rows)


def _format_rule(rows: Rows) -> Rule | None:
    table = shortcuts.surface_features(rows.examples)
    return rules.best(
        rules.threshold_rule(column, rows.fail, _wording(name, column))
        for name, column in zip(shortcuts.SURFACE, table.T, strict=True)
        if name != "characters"
    )


def _wording(name: str, column: NDArray[np.float64]) -> rules.Wording:
    if set(np.unique(column)) <= {0.0, 1.0}:
        return rules.presence(f"answer with {name}")
    return rules.quantity(f"{name} in the answer")


def _overlap(rows: Rows) -> Scores:
    return _pooled(shortcuts.overlap_features(rows.examples), rows)


def _overlap_rule(rows: Rows) -> Rule | None:
    table = shortcuts.overlap_features(rows.examples)
    return rules.best(
        rules.threshold_rule(column, rows.fail, rules.quantity(name))
        for name, column in zip(shortcuts.OVERLAP_FEATURES, table.T, strict=True)
    )


def _number_shares(rows: Rows) -> Scores:
    return np.array([shortcuts.numbers(example) for example in rows.examples])


def _numbers(rows: Rows) -> Scores:
    held = np.array([any(map(str.isdigit, example.answer)) for example in rows.examples])
    return _pooled(np.column_stack([_number_shares(rows), held.astype(float)]), rows)


def _numbers_rule(rows: Rows) -> Rule:
    wording = rules.quantity("share of the answer's numbers found in the passage")
    return rules.threshold_rule(_number_shares(rows), rows.fail, wording)


def answer_scores(rows: Rows) -> NDArray[np.float64]:
    """Out-of-fold P(FAIL) (n,) from the answer's n-grams alone."""
    return out_of_fold(_tfidf([example.answer for example in rows.examples]), rows)


def question_answer_scores(rows: Rows) -> NDArray[np.float64]:
    """Out-of-fold P(FAIL) (n,) from the n-grams of question and answer, told apart."""
    questions = _tfidf([example.question for example in rows.examples])
    answers = _tfidf([example.answer for example in rows.examples])
    return out_of_fold(csr_matrix(hstack([questions, answers])), rows)


def _tfidf(texts: Sequence[str]) -> csr_matrix:
    """Word 1-2-grams and character 2-4-grams. Vocabulary and document frequencies come from all
    rows of the scope, labels from none."""
    words = TfidfVectorizer(
        ngram_range=(1, 2), token_pattern=WORD, min_df=2, max_features=20_000, sublinear_tf=True
    )
    chars = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 4), min_df=2, max_features=20_000, sublinear_tf=True
    )
    parts = [sparse(vectoriser, texts) for vectoriser in (words, chars)]
    return csr_matrix(hstack(parts))


def _answer(rows: Rows) -> Scores:
    return fold_ranks(answer_scores(rows), rows)


def _answer_rule(rows: Rows) -> Rule | None:
    return rules.best(_ngram_rule(ngram, rows) for ngram in ngrams(rows, top=5))


def _question_answer(rows: Rows) -> Scores:
    return fold_ranks(question_answer_scores(rows), rows)


def _no_rule(_rows: Rows) -> None:
    return None


def ngrams(rows: Rows, top: int) -> list[Ngram]:
    """The word 1-2-grams with the largest answer-only weights, ``top`` a label, FAIL first; of a
    sample of the rows where they are many."""
    rows = rows.sample
    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2), token_pattern=WORD, min_df=3, max_features=20_000, sublinear_tf=True
    )
    table = sparse(vectoriser, [example.answer for example in rows.examples])
    if table.nnz == 0 or len(np.unique(rows.fail)) < 2:
        return []
    model = LogisticRegression(solver="liblinear", random_state=0).fit(table, rows.fail)
    weights, names = model.coef_[0], vectoriser.get_feature_names_out()
    held = csr_matrix(table > 0)
    n_fail, n_pass = (
        np.asarray(held[mask].sum(axis=0)).ravel() for mask in (rows.fail, ~rows.fail)
    )
    order = np.argsort(-weights, kind="stable")
    chosen = [*order[:top], *order[::-1][:top]]
    return [
        Ngram(
            text=str(names[i]),
            label="FAIL" if weights[i] > 0 else "PASS",
            weight=float(weights[i]),
            n_pass=int(n_pass[i]),
            n_fail=int(n_fail[i]),
        )
        for i in dict.fromkeys(int(i) for i in chosen)
        if weights[i] != 0
    ]


def _ngram_rule(ngram: Ngram, rows: Rows) -> Rule:
    spelled = r"\W+".join(re.escape(word) for word in ngram.text.split(" "))
    pattern = re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE)
    held = np.array([bool(pattern.search(example.answer)) for example in rows.examples])
    return rules.presence_rule(f'answer with "{ngram.text}"', held, rows.fail)


PROBES: tuple[Spec, ...] = (
    Spec(
        "length",
        "Answer length",
        _lengths,
        _length_rule,
        0.45,
        0.55,
        "AUROC of the number of characters of the answer, unfitted: above .5 longer answers are "
        "FAIL, below .5 shorter ones.",
    ),
    Spec(
        "format",
        "Answer format",
        _format,
        _format_rule,
        0.0,
        0.57,
        "Logistic regression on surface features of the answer: how it is written (digits, "
        "capitals, punctuation, list marks, repeated spans, end marks), not what it says.",
    ),
    Spec(
        "answer",
        "Answer only",
        _answer,
        _answer_rule,
        0.0,
        0.60,
        "Logistic regression on TF-IDF of the answer's word 1-2-grams and character 2-4-grams; "
        "the hypothesis-only baseline of Gururangan et al. 2018 and Poliak et al. 2018.",
        4.0,
    ),
    Spec(
        "question_answer",
        "Question and answer",
        _question_answer,
        _no_rule,
        0.0,
        0.60,
        "The same over the n-grams of question and answer, told apart; the passage stays unread.",
        8.0,
    ),
    Spec(
        "overlap",
        "Word overlap",
        _overlap,
        _overlap_rule,
        0.0,
        0.65,
        "Logistic regression on three shares of the answer found in the passage: words, word pairs "
        "and the longest copied run.",
        2.0,
    ),
    Spec(
        "numbers",
        "Number overlap",
        _numbers,
        _numbers_rule,
        0.0,
        0.65,
        "Logistic regression on the share of the answer's numbers found in the passage, and on "
        "whether it has any.",
    ),
    Spec(
        "ids",
        "Row ids",
        places.id_scores,
        places.id_rule,
        0.0,
        0.60,
        "Logistic regression on the id: its character n-grams and the character at each place, "
        "its length, and the rank and parity of its last number.",
        2.0,
    ),
    Spec(
        "order",
        "Row order",
        places.order_scores,
        places.order_rule,
        0.0,
        0.60,
        "Logistic regression on a row's place in the file: its tenth and its parity.",
        0.5,
        whole=True,
    ),
)
TITLES = {spec.name: spec.title for spec in PROBES}
