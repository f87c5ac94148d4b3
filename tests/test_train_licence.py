"""The licence rules of a fine-tuned judge, and the parity table."""

from pathlib import Path

import pytest

from halubench import predictions
from halubench.errors import InputError
from halubench.predictions import Judged
from halubench.records import Prediction, Unscored
from halubench.train.export import licence
from halubench.train.export.parity import markdown, parity


@pytest.mark.parametrize(
    ("base", "prefix", "built"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", "Llama-3", "Built with Meta Llama 3."),
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama", "Built with Llama."),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama", "Built with Llama."),
    ],
)
def test_a_tuned_llama_carries_notice_and_name(base: str, prefix: str, built: str) -> None:
    found = licence.terms(base, None, ["Apache-2.0"])
    assert found.license.startswith("llama3")
    assert "Copyright © Meta Platforms" in found.files["NOTICE"]
    assert any(sentence.startswith(built) for sentence in found.sentences)
    licence.check_name(f"{prefix}-Judge-8B", found)
    with pytest.raises(InputError, match=f"begin with {prefix}"):
        licence.check_name("our-judge", found)


def test_another_base_asks_for_no_name() -> None:
    found = licence.terms("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0", ["MIT"])
    licence.check_name("anything", found)
    assert (found.license, found.files) == ("apache-2.0", {})


def test_data_that_is_not_for_commerce_makes_weights_that_are_not() -> None:
    found = licence.terms("x/y", "apache-2.0", ["MIT", "CC-BY-NC-4.0"])
    assert found.license == "other"
    assert found.sentences[-1] == (
        "Because of CC-BY-NC-4.0 the weights are not for commercial use."
    )


def test_what_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    found = licence.terms("x/y", None, [])
    assert found.license == "other"
    assert "not known" in found.sentences[0]
    assert "not known" in found.sentences[1]
    assert licence.of_card(tmp_path) is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# Model\n")
    assert licence.of_card(tmp_path) == "mit"


def _judged(folder: Path, verdicts: list[str]) -> Path:
    folder.mkdir()
    rows = [
        Judged("s", "PASS", f"g{at}", "", "", "", "", Prediction(f"r{at}", "j", verdict))
        for at, verdict in enumerate(v or Unscored("no SCORE") for v in verdicts)
    ]
    predictions.write(folder / "predictions.parquet", predictions.table(rows))
    return folder


def test_parity_counts_the_same_verdicts_unscored_and_right_ones(tmp_path: Path) -> None:
    first = _judged(tmp_path / "bf16", ["PASS", "PASS", "FAIL", "", "PASS"])
    other = _judged(tmp_path / "q4", ["PASS", "FAIL", "FAIL", "", ""])
    one, two = parity([first, other])
    assert (one.name, one.rows, one.unscored, one.accuracy.value) == ("bf16", 5, 1, 0.6)
    assert (one.agreement, one.p) == (None, None)
    assert (two.unscored, two.accuracy.value, two.agreement.value) == (2, 0.2, 0.6)
    assert two.p == 0.5
    assert "| q4 | 5 | 2 | 0.200 [" in markdown([one, two])


def test_parity_is_of_the_same_rows(tmp_path: Path) -> None:
    first = _judged(tmp_path / "a", ["PASS"])
    other = _judged(tmp_path / "b", ["PASS", "FAIL"])
    with pytest.raises(InputError, match="do not hold the same rows"):
        parity([first, other])
