"""What is exported loads, answers greedily, and says what it is and under which terms."""

import json
import re
from pathlib import Path

import pytest

from halubench.errors import EngineError, InputError, MissingExtraError, OutputError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
import engine_world as world
from transformers import AutoModelForCausalLM, AutoTokenizer

from halubench.content import find
from halubench.train.export import compress, gguf, release

pytestmark = pytest.mark.torch
CHATML = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe brief<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def run(tmp_path: Path, model: Path) -> Path:
    """A finished run whose weights are the tiny Llama's."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model").symlink_to(model)
    recipe = {"name": "own", "method": "full", "kind": "judge", "global_batch_size": 4, "seed": 17}
    recipe["optimizer"] = {"name": "adamw", "lr": 1e-5}
    recipe["precision"] = {"master": "fp32", "compute": "fp32"}
    made = {"format": "halubench/train-run/1", "recipe": recipe, "base_model": str(model)}
    made["data"] = {"asked": {"prompt": "lynx", "data": [str(tmp_path / "bench")]}}
    made |= {"rows": 24, "steps": 12, "versions": {"torch": "2"}}
    (folder / "run.json").write_text(json.dumps(made))
    return folder


def export(run: Path, out: Path, **more: object) -> Path:
    return release.export(release.Ask(run, out, **more), lambda _: None)


def test_an_export_loads_and_is_greedy_whatever_the_base_was(run: Path, tmp_path: Path) -> None:
    out = export(run, tmp_path / "judge")
    found = AutoModelForCausalLM.from_pretrained(out, dtype="auto")
    assert {weight.dtype for weight in found.parameters()} == {torch.bfloat16}
    settings = json.loads((out / "generation_config.json").read_text())
    assert settings["do_sample"] is False
    assert settings["eos_token_id"] == [4]
    assert settings["max_new_tokens"] == 600
    assert not {"temperature", "top_p"} & settings.keys()
    assert AutoTokenizer.from_pretrained(out).chat_template == world.LLAMA3
    assert (out / "judge_prompt.jinja").read_text() == find("prompts/judge/lynx.jinja").read_text()
    ids = torch.arange(5, 60)[None]
    original = AutoModelForCausalLM.from_pretrained(run / "model")(ids).logits
    assert torch.allclose(found(ids).logits.float(), original, atol=0.02)


def test_an_adapter_is_merged(run: Path, model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    base = AutoModelForCausalLM.from_pretrained(model)
    tuned = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"]))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=2.0)
    (run / "model").unlink()
    tuned.save_pretrained(run / "model")
    AutoTokenizer.from_pretrained(model).save_pretrained(run / "model")
    ids = torch.arange(5, 60)[None]
    expected = tuned(ids).logits
    out = export(run, tmp_path / "judge")
    merged = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)(ids).logits
    assert torch.allclose(merged, expected, atol=0.05)
    assert (expected - AutoModelForCausalLM.from_pretrained(model)(ids).logits).abs().max() > 0.2


def test_no_folder_of_this_machine_is_published(run: Path, tmp_path: Path) -> None:
    out = export(run, tmp_path / "judge", licenses=("CC-BY-4.0",))
    for path in out.iterdir():
        if path.suffix in (".json", ".md"):
            assert str(tmp_path.parent) not in path.read_text(), path.name


def test_the_card_shows_the_terms_and_what_was_measured(run: Path, tmp_path: Path) -> None:
    out = export(run, tmp_path / "judge", licenses=("MIT", "CC-BY-NC-4.0"), base_license="mit")
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlicense: other\n")
    assert "Because of CC-BY-NC-4.0 the weights are not for commercial use." in card
    assert "Nothing was measured when this card was written." in card


def test_an_export_becomes_gguf_under_the_same_terms(run: Path, tmp_path: Path) -> None:
    script = tmp_path / "convert_hf_to_gguf.py"
    script.write_text(
        "import sys, pathlib\nmodel, _, out, _, kind = sys.argv[1:]\n"
        "assert (pathlib.Path(model) / 'model.safetensors').exists()\n"
        "pathlib.Path(out).write_text('GGUF ' + kind)\n"
    )
    whole = export(run, tmp_path / "judge", licenses=("CC-BY-NC-4.0",), base_license="mit")
    out = export(whole, tmp_path / "small", format="gguf:q8_0", llama_cpp=tmp_path)
    assert (out / "model.gguf").read_text() == "GGUF q8_0"
    assert (out / "Modelfile").read_text() == gguf.modelfile(whole)
    assert "Because of CC-BY-NC-4.0" in (out / "README.md").read_text()
    assert json.loads((out / "halubench.json").read_text())["weights"] == "gguf:q8_0"
    with pytest.raises(InputError, match="is exported already"):
        export(whole, tmp_path / "again")
    with pytest.raises(MissingExtraError, match="llama-quantize, which is not on the path"):
        export(whole, tmp_path / "again", format="gguf:q4_k_m", llama_cpp=tmp_path)
    program = tmp_path / "build" / "bin" / "llama-quantize"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s of $(cat "$1")" "$3" > "$2"\n')
    program.chmod(0o755)
    out = export(whole, tmp_path / "less", format="gguf:q4_k_m", llama_cpp=tmp_path)
    assert (out / "model.gguf").read_text() == "Q4_K_M of GGUF bf16"
    assert not (out / "bf16.gguf").exists()


def test_what_cannot_be_exported_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        export(tmp_path, tmp_path / "x")
    with pytest.raises(InputError, match="no format 'int3'"):
        export(run, tmp_path / "x", format="int3")
    with pytest.raises(MissingExtraError, match="converter"):
        export(run, tmp_path / "x", format="gguf:q8_0")
    with pytest.raises(InputError, match=r"holds no convert_hf_to_gguf\.py"):
        export(run, tmp_path / "x", format="gguf:q8_0", llama_cpp=tmp_path)
    export(run, tmp_path / "once")
    with pytest.raises(OutputError, match="holds files already"):
        export(run, tmp_path / "once")


def test_a_prompt_that_has_changed_is_refused(run: Path, tmp_path: Path) -> None:
    made = json.loads((run / "run.json").read_text())
    made["data"]["prompt_hash"] = "0" * 16
    (run / "run.json").write_text(json.dumps(made))
    with pytest.raises(InputError, match="has changed since the data was prepared"):
        export(run, tmp_path / "judge")


def _ollama(template: str, prompt: str, system: str = "") -> str:
    """What Ollama sends for one question: its template up to the answer, with the conditions."""
    text = template.partition("{{ .Response }}")[0]
    branch = re.compile(r"\{\{ if \.System \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}", re.DOTALL)
    text = branch.sub(lambda found: found[1 if system else 2], text)
    return text.replace("{{ .System }}", system).replace("{{ .Prompt }}", prompt)


@pytest.mark.parametrize("chat", [world.LLAMA3, CHATML])
@pytest.mark.parametrize("system", ["", "You judge."])
def test_ollamas_template_gives_the_same_tokens(model: Path, chat: str, system: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = chat
    question = "DOCUMENT:\nIt is 137 m long.\n\n--\nANSWER: {{ 137 }} m"
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": question}]
    expected = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False, tokenize=True
    )
    text = _ollama(gguf.template(tokenizer), question, system)
    begun = chat == world.LLAMA3  # llama.cpp puts the first token where the model has one.
    assert tokenizer(text, add_special_tokens=begun)["input_ids"] == expected


def test_the_modelfile_ends_answers_and_is_greedy(model: Path) -> None:
    told = gguf.modelfile(model)
    assert 'PARAMETER stop "<|eot_id|>"' in told
    assert "PARAMETER temperature 0\n" in told
    assert "{{ .Response }}<|eot_id|>" in told


@pytest.mark.parametrize(("widths", "size"), [((4096, 14336), 128), ((576, 1536), 64), ((96,), 32)])
def test_four_bit_weights_share_a_scale_in_groups_that_fit(
    widths: tuple[int, ...], size: int
) -> None:
    layers = {str(width): torch.nn.Linear(width, 2) for width in widths}
    model = torch.nn.ModuleDict({**layers, "lm_head": torch.nn.Linear(7, 2)})
    assert compress.group_size(model) == size


def test_a_model_that_no_group_fits_is_refused() -> None:
    with pytest.raises(InputError, match=r"do not divide the widths of this model \(100, 128\)"):
        compress.group_size(torch.nn.Sequential(torch.nn.Linear(100, 2), torch.nn.Linear(128, 2)))


def test_what_the_converter_says_is_passed_on(run: Path, tmp_path: Path) -> None:
    script = tmp_path / "convert_hf_to_gguf.py"
    script.write_text("import sys; sys.exit('Model LlamaForCausalLM is not supported')")
    with pytest.raises(
        EngineError,
        match=r"convert_hf_to_gguf\.py ended with 1: Model LlamaForCausalLM is not supported",
    ):
        export(run, tmp_path / "judge", format="gguf:q8_0", llama_cpp=tmp_path)
