"""A cross-encoder: it learns, does not mind how its batch is dealt, and is read as a judge."""

from pathlib import Path

import pytest

from halubench.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
import engine_world as world
from test_engine_run import Heard

from halubench import dataset
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.train import recipe as recipes
from halubench.train.engine import classifier, data, work
from halubench.train.engine.job import Job
from halubench.train.export import release

pytestmark = pytest.mark.torch
ADAM = {"name": "adamw", "lr": 3e-3, "betas": [0.9, 0.95], "weight_decay": 0.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT that reads characters."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    letters = [chr(code) for code in range(33, 127)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = {
        token: at for at, token in enumerate([*special, *letters, *(f"##{x}" for x in letters)])
    }
    tokenizer = BertTokenizerFast(vocab=vocab, model_max_length=128)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        hidden_dropout_prob=0.1,  # Which training turns off: batches would differ by it.
        attention_probs_dropout_prob=0.1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def job(tmp_path: Path, model: Path):
    prepared = data.read(world.prepared(tmp_path / "data"))

    def make(name: str, **values: object) -> Job:
        (tmp_path / "recipes").mkdir(exist_ok=True)
        told = {"kind": "classifier", "optimizer": ADAM, "sequence_length": 128, **values}
        recipe = recipes.load(world.recipe(tmp_path / "recipes", **told))
        return Job(recipe, str(model), prepared, tmp_path / name, validate=4)

    return make


def test_micro_batches_of_any_size_make_the_same_batch(job) -> None:
    heard = {size: Heard() for size in (1, 4)}
    for size, ear in heard.items():
        work.train(job(f"of-{size}", epochs=1, device_microbatch_size=size), ear)
    one, four = ([step.loss for step in ear.steps] for ear in heard.values())
    assert one == pytest.approx(four, rel=1e-4)
    assert one[0] == pytest.approx(0.693, abs=0.1)
    left, right = (world.weights(job(f"of-{size}").out) for size in heard)
    assert all(torch.allclose(left[name], right[name], atol=2e-4) for name in left)


def test_a_trained_classifier_is_exported_and_judges(job, tmp_path: Path) -> None:
    heard = Heard()
    assert work.train(job("run", epochs=2), heard).state == "done"
    assert heard.scores[-1][1]["auroc"]["value"] is not None
    out = release.export(release.Ask(job("run").out, tmp_path / "judge"), lambda _: None)
    rows = dataset.load(str(tmp_path / "data"), split="validation")
    (found,) = evaluate(f"hf-classifier:{out}", rows, EvaluateOptions(tmp_path / "results"))
    assert (found.overall.n, found.overall.unscored) == (4, 0)
    # The judge asks as the model was trained: the same figures as its own validation.
    assert found.overall.auroc.value == heard.scores[-1][1]["auroc"]["value"]


def test_a_pair_that_is_too_long_is_refused_by_name(job) -> None:
    with pytest.raises(InputError, match=r"rows are longer than 40 tokens: r0 \(\d+\)"):
        classifier.build(job("run", sequence_length=40), Heard())
