"""GGUF by llama.cpp's own converter and quantizer, with a Modelfile for Ollama."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, InputError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = "convert_hf_to_gguf.py"
_WHERE = (
    "Run: pip download --no-deps --no-binary :all: llama-cpp-python, unpack it, and give its "
    "vendor/llama.cpp by --llama-cpp."
)
_USER, _SYSTEM, _ANSWER = "\ue000user\ue000", "\ue000system\ue000", "\ue000answer\ue000"


def write(whole: Path, out: Path, kind: str, llama_cpp: Path | None) -> None:
    """``out/model.gguf`` of the kind q8_0 or q4_k_m, and ``out/Modelfile``.

    Raises MissingExtraError where the converter (or for q4_k_m the quantizer) is not there.
    """
    script = _script(llama_cpp)
    out.mkdir(parents=True, exist_ok=True)
    made = out / "model.gguf"
    if kind == "q8_0":
        _convert(script, whole, made, "q8_0")
    else:
        full = out / "bf16.gguf"
        _check_quantizer()
        _convert(script, whole, full, "bf16")
        _quantize(full, made)
        full.unlink()
    (out / "Modelfile").write_text(modelfile(whole), "utf-8")


def modelfile(whole: Path) -> str:
    """Ollama's description of the model: its template is the tokenizer's own, and it is greedy."""
    from transformers import AutoTokenizer

    from halubench.train.engine.labels import stops
    from halubench.train.export.weights import ANSWER

    tokenizer: Any = AutoTokenizer.from_pretrained(whole)
    ends = tokenizer.convert_ids_to_tokens(sorted(stops(tokenizer)))
    lines = [
        "FROM ./model.gguf",
        f'TEMPLATE """{template(tokenizer)}"""',
        *(f'PARAMETER stop "{end}"' for end in ends),
        "PARAMETER temperature 0",
        f"PARAMETER num_predict {ANSWER}",
        "PARAMETER num_ctx 8192",
    ]
    return "\n".join(lines) + "\n"


def template(tokenizer: Any) -> str:
    """A chat of one question and one answer in Ollama's Go template, with or without a system part.

    Made by rendering the tokenizer's own template, so that both give the same tokens. The token
    that begins a text is left out: llama.cpp puts it there. Raises InputError for a template that
    changes what it is given.
    """
    user = {"role": "user", "content": _USER}
    system = {"role": "system", "content": _SYSTEM}
    answer = {"role": "assistant", "content": _ANSWER}
    plain = _render(tokenizer, [user], open_=True)
    led = _render(tokenizer, [system, user], open_=True)
    ended = _render(tokenizer, [user, answer], open_=False).removeprefix(plain)
    if plain.count(_USER) != 1 or led.count(_SYSTEM) != 1 or not ended.startswith(_ANSWER):
        raise InputError(
            "The chat template does not show the messages as they are.",
            "Export as safetensors, and write a Modelfile by hand.",
        )
    before, after = plain.split(_USER)
    start, middle = led.split(_USER)[0].split(_SYSTEM)
    head = (
        f"{{{{ if .System }}}}{start}{{{{ .System }}}}{middle}{{{{ else }}}}{before}{{{{ end }}}}"
    )
    tail = ended.removeprefix(_ANSWER)
    return f"{head}{{{{ .Prompt }}}}{after}{{{{ .Response }}}}{tail}"


def _render(tokenizer: Any, messages: list[dict[str, str]], *, open_: bool) -> str:
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=open_)
    return text.removeprefix(tokenizer.bos_token) if tokenizer.add_bos_token else text


def _script(llama_cpp: Path | None) -> Path:
    if llama_cpp is None:
        raise MissingExtraError("GGUF is made by llama.cpp's converter.", _WHERE)
    if not (llama_cpp / _SCRIPT).is_file():
        raise InputError(f"{llama_cpp} holds no {_SCRIPT}.", _WHERE)
    return llama_cpp / _SCRIPT


def _convert(script: Path, whole: Path, made: Path, kind: str) -> None:
    arguments = [str(whole), "--outfile", str(made), "--outtype", kind]
    done = subprocess.run(  # noqa: S603  (this interpreter, a script that the user named)
        [sys.executable, str(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(script.parent / "gguf-py")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not made.is_file():
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "nothing was said")
        raise EngineError(f"llama.cpp's converter ended with {done.returncode}: {last}", _WHERE)


def _check_quantizer() -> None:
    if importlib.util.find_spec("llama_cpp") is None:
        raise MissingExtraError(
            "q4_k_m is made by llama.cpp's quantizer, through llama-cpp-python.",
            "Install it with: pip install llama-cpp-python; or export gguf:q8_0.",
        )


def _quantize(full: Path, made: Path) -> None:
    import llama_cpp

    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    options.allow_requantize = False
    code = llama_cpp.llama_model_quantize(
        os.fsencode(full), os.fsencode(made), ctypes.byref(options)
    )
    if code:
        raise EngineError(f"llama.cpp's quantizer ended with {code}.", "See its messages above.")
