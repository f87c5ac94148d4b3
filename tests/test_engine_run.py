"""Runs of the tiny Llama in this process: loss, log, resume, packing, adapters."""

import json
import os
import signal
from pathlib import Path

import pytest

from halubench.errors import EngineError, InputError, MissingExtraError, OutputError

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
import engine_world as world

from halubench.train import recipe as recipes
from halubench.train.engine import causal, data, watch, work
from halubench.train.engine.job import Job, Status

pytestmark = pytest.mark.torch


class Heard:
    """Keeps what it is told; at a step it may do something."""

    def __init__(self, at: int = 0, act=lambda: None) -> None:
        self.said: list[str] = []
        self.steps, self.scores = [], []
        self._at, self._act = at, act

    def say(self, message: str) -> None:
        self.said.append(message)

    def step(self, step) -> None:
        self.steps.append(step)
        if step.step == self._at:
            self._act()

    def judged(self, epoch: float, scores: dict) -> None:
        self.scores.append((epoch, scores))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def job(tmp_path: Path, model: Path):
    prepared = data.read(world.prepared(tmp_path / "data"))

    def make(name: str, **values: object) -> Job:
        (tmp_path / "recipes").mkdir(exist_ok=True)
        recipe = recipes.load(world.recipe(tmp_path / "recipes", **values))
        return Job(recipe, str(model), prepared, tmp_path / name, validate=4)

    return make


LION = {"name": "decoupled_lionw", "lr": 1e-3, "betas": [0.9, 0.95], "weight_decay": 0.0}


def test_a_run_learns_logs_and_is_not_done_twice(job) -> None:
    heard = Heard()
    assert work.train(job("run", optimizer=LION), heard) == Status("done", 12, 12)
    losses = [step.loss for step in heard.steps]
    assert losses[-1] < losses[0] - 1
    assert [step.learning_rate for step in heard.steps][:2] == [0.0, 1e-3]
    assert [entry["step"] for entry in world.log(job("run").out)] == [*range(1, 13)]
    assert [epoch for epoch, _ in heard.scores] == [1.0, 2.0]
    assert all(scores["n"] == 4 for _, scores in heard.scores)
    made = json.loads((job("run").out / "run.json").read_text())
    assert (made["rows"], made["steps"], made["recipe"]["name"]) == (24, 12, "own")
    before = (job("run").out / "model" / "model.safetensors").stat().st_mtime_ns
    assert work.train(job("run", optimizer=LION), Heard()).state == "done"
    assert (job("run").out / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_signal_writes_a_checkpoint_and_the_run_goes_on_to_the_same_weights(job) -> None:
    values = {"packing": True, "sequence_length": 256, "global_batch_size": 2}
    whole = work.train(job("whole", **values), Heard())
    stopped = Heard(at=3, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    status = work.train(job("cut", **values), stopped)
    # The signal came after the third step, so that the fourth was finished.
    assert (status.state, status.step, whole.state) == ("stopped", 4, "done")
    assert not stopped.scores
    assert signal.getsignal(signal.SIGTERM) is before
    # A process killed while it writes leaves a folder without its last file.
    (job("cut").checkpoints / "checkpoint-9").mkdir()
    again = Heard()
    assert work.train(job("cut", **values), again) == whole
    assert again.said[-1].endswith("checkpoint-4.")
    assert again.steps[0].step == 5
    one, other = world.weights(job("whole").out), world.weights(job("cut").out)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert [e["loss"] for e in world.log(job("whole").out)] == [
        e["loss"] for e in world.log(job("cut").out)
    ]


def test_a_folder_is_not_used_for_another_run(job) -> None:
    work.train(job("run", epochs=1), Heard())
    with pytest.raises(OutputError, match="is the folder of another run: recipe_hash was"):
        work.train(job("run", epochs=2), Heard())


def test_what_cannot_be_built_leaves_the_folder_to_the_next_try(job) -> None:
    with pytest.raises(InputError, match="longer than sequence_length 20"):
        work.train(job("run", sequence_length=20), Heard())
    assert work.train(job("run", epochs=1), Heard()).state == "done"


def test_a_loss_that_is_no_number_ends_the_run_and_is_not_saved(job) -> None:
    wild = {"name": "adamw", "lr": 1e30, "betas": [0.9, 0.95], "weight_decay": 0.0}
    status = work.train(job("run", optimizer=wild), Heard())
    assert status.state == "diverged"
    assert "is nan" in status.message
    assert not (job("run").out / "model").exists()
    assert not [*job("run").checkpoints.glob("checkpoint-*")]


def test_packed_rows_do_not_see_each_other(job) -> None:
    packed = job("run", packing=True, sequence_length=512, global_batch_size=1)
    trainer = causal.build(packed, Heard())
    batch = next(iter(trainer.get_train_dataloader()))
    lengths = causal.document_lengths(batch)
    assert len(lengths) > 2
    trainer.model.eval()
    with torch.no_grad():
        together = trainer.model(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
        ).logits[0]
        start = 0
        for length in lengths:
            ids = batch["input_ids"][:, start : start + length]
            alone = trainer.model(input_ids=ids, use_cache=False).logits[0]
            assert torch.allclose(together[start : start + length], alone, atol=1e-5)
            start += length
    assert start == batch["input_ids"].shape[1]


def test_packing_trains_on_every_completion_token_once(job) -> None:
    plain = causal.build(job("a"), Heard()).train_dataset
    packed = causal.build(job("b", packing=True), Heard()).train_dataset
    counted = [sum(t != -100 for row in rows["labels"] for t in row) for rows in (plain, packed)]
    assert counted[0] == counted[1] == 24 * 18
    assert len(packed) < len(plain)


def test_adapters_are_trained_in_fp32_on_frozen_weights_of_the_computation(job) -> None:
    lora = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "target_modules": ["q_proj", "v_proj"]}
    bf16 = {"master": "fp32", "compute": "bf16"}
    trainer = causal.build(job("look", method="lora", lora=lora, precision=bf16), Heard())
    kinds = {p.requires_grad: p.dtype for p in trainer.model.parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    found = job("run", method="lora", lora=lora, precision=bf16)
    assert work.train(found, Heard()).state == "done"
    assert (found.weights / "adapter_model.safetensors").exists()


def test_compiled_layers_learn_the_same(job) -> None:
    plain, compiled = Heard(), Heard()
    work.train(job("plain", epochs=1), plain)
    work.train(job("compiled", epochs=1, compile=True), compiled)
    losses = [[step.loss for step in heard.steps] for heard in (plain, compiled)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_qlora_says_what_it_needs(job, monkeypatch) -> None:
    lora = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "target_modules": ["q_proj"]}
    monkeypatch.setattr("halubench.train.engine.settings.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="bitsandbytes, which is not installed"):
        causal.build(job("run", method="qlora", lora=lora), Heard())


def test_flash_attention_gives_way_to_sdpa_and_says_so(job) -> None:
    heard = Heard()
    trainer = causal.build(job("run", attention="flash_attention_2"), heard)
    assert trainer.model.config._attn_implementation == "sdpa"
    assert "Attention by SDPA instead of flash attention 2: there is no GPU." in heard.said


def test_a_save_that_wrote_nothing_is_an_error(job, monkeypatch) -> None:
    save = causal.JudgeTrainer.save_model

    def only_checkpoints(self, path=None, **more) -> None:
        if more:
            save(self, path, **more)

    monkeypatch.setattr(causal.JudgeTrainer, "save_model", only_checkpoints)
    with pytest.raises(EngineError, match="No weights were written"):
        work.train(job("run", epochs=1), Heard())


def test_the_log_forgets_what_is_trained_again(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for step in (1, 2, 3):
        watch.append(log, {"step": step, "loss": 1.0})
    with log.open("a") as file:
        file.write('{"step": 4, "lo')
    watch.cut(log, 2)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2]
