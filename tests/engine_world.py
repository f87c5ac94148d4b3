"""A tiny random Llama with Llama-3's chat template, prepared rows, and runs on several ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from halubench.dataset import content_hash
from halubench.records import EXAMPLE_FIELDS, Example

ROOT = Path(__file__).parents[1]
SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def tiny_llama(folder: Path) -> Path:
    """Two layers, 64 wide, random but always the same."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: at for at, token in enumerate([*SPECIAL, *alphabet])}
    raw = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    # As in Llama 3: a text that is tokenized by itself gets a first token.
    raw.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", 0)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=SPECIAL[0],
        eos_token="<|eot_id|>",
        additional_special_tokens=[*SPECIAL[1:4]],
    )
    tokenizer.chat_template = LLAMA3
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocab),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=0,
        eos_token_id=4,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def examples(count: int, start: int = 0) -> list[Example]:
    """Short rows: the answer is right, or names another number."""
    rows = []
    for at in range(start, start + count):
        told = 10 + at
        label = "PASS" if at % 2 else "FAIL"
        said = told if label == "PASS" else told + 7
        text = f"The bridge of town {at} is {told} metres long."
        rows.append(Example(f"r{at}", text, "How long is it?", f"{said} metres.", label, "towns"))
    return rows


def prepared(folder: Path, train: int = 24, validation: int = 4) -> Path:
    """A folder as `halubench train prepare --target direct` writes it."""
    splits = {"train": examples(train), "validation": examples(validation, start=train)}
    facts = {}
    for name, rows in splits.items():
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "prompt_completion").mkdir(exist_ok=True)
        table = {field: [getattr(row, field) for row in rows] for field in EXAMPLE_FIELDS}
        pq.write_table(pa.table(table), folder / "data" / f"{name}.parquet")
        chats = "".join(json.dumps(_chat(row)) + "\n" for row in rows)
        (folder / "prompt_completion" / f"{name}.jsonl").write_text(chats)
        facts[name] = {"rows": len(rows), "sha256": content_hash(rows)}
    manifest = {"format": "halubench/sft/1", "splits": facts, "asked": {"prompt": "lynx"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _chat(row: Example) -> dict[str, object]:
    asked = f"D: {row.passage}\nQ: {row.question}\nA: {row.answer}"
    said = json.dumps({"SCORE": row.label})
    return {
        "prompt": [{"role": "user", "content": asked}],
        "completion": [{"role": "assistant", "content": said}],
    }


def recipe(folder: Path, **values: object) -> Path:
    """`tiny-cpu` with other values, as a file of its own."""
    found = yaml.safe_load((ROOT / "trainers" / "tiny-cpu.yaml").read_text())
    plain = {"global_batch_size": 4, "epochs": 2, "sequence_length": 512, **values}
    found.update({"name": "own", **plain})
    keys = [key for key in found if key not in ("name", "title", "notes", "source", "launch")]
    found["source"] = [{"values": keys, "origin": "a test", "certainty": "chosen"}]
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(found))
    return path


FSDP = {
    "strategy": "FULL_SHARD",
    "mixed_precision": "FULL",
    "activation_checkpointing": False,
    "activation_checkpointing_reentrant": False,
    "activation_cpu_offload": False,
    "limit_all_gathers": True,
}


def command(path: Path, data: Path, out: Path, model: Path, ranks: int = 1) -> list[str]:
    """The command line of one run."""
    named = ["--data", str(data), "--out", str(out), "--model", str(model)]
    return [
        sys.executable,
        "-m",
        "halubench",
        "train",
        "run",
        str(path),
        *named,
        "--nproc",
        str(ranks),
    ]


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, on one thread a process."""
    return subprocess.run(
        arguments,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def weights(out: Path) -> dict[str, object]:
    """The trained weights by name."""
    from safetensors.torch import load_file

    return load_file(out / "model" / "model.safetensors")


def log(out: Path) -> list[dict[str, object]]:
    """The entries of a run's log that are of steps."""
    lines = (out / "log.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if "loss" in entry]
