"""GGUF by llama.cpp's own converter and quantizer, with a Modelfile for Ollama."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRIPT, _PROGRAM = "convert_hf_to_gguf.py", "llama-quantize"
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
    quantizer = None if kind == "q8_0" else _quantizer(script.parent)
    out.mkdir(parents=True, exist_ok=True)
    made, full = out / "model.gguf", out / "bf16.gguf"
    if quantizer is None:
        _convert(script, whole, made, kind)
    else:
        _convert(script, whole, full, "bf16")
        _call([str(quantizer), str(full), str(made), kind.upper()], made)
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
    # llama.cpp begins a text as the tokenizer by itself does.
    begun = tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id
    return text.removeprefix(tokenizer.bos_token) if begun else text


def _script(llama_cpp: Path | None) -> Path:
    if llama_cpp is None:
        raise MissingExtraError("GGUF is made by llama.cpp's converter.", _WHERE)
    if not (llama_cpp / _SCRIPT).is_file():
        raise InputError(f"{llama_cpp} holds no {_SCRIPT}.", _WHERE)
    return llama_cpp / _SCRIPT


def _convert(script: Path, whole: Path, made: Path, kind: str) -> None:
    arguments = [str(whole), "--outfile", str(made), "--outtype", kind]
    library = str(script.parent / "gguf-py")
    _call([sys.executable, str(script), *arguments], made, {"PYTHONPATH": library})


def _call(command: list[str], made: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a program of llama.cpp that should write ``made``. Raises EngineError with its words."""
    done = subprocess.run(  # noqa: S603  (a program that the user named)
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not made.is_file():
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "nothing was said")
        tool = next(Path(part).name for part in command if Path(part).name in (_SCRIPT, _PROGRAM))
        what = f"llama.cpp's {tool} ended with {done.returncode}: {last.rstrip('.')}."
        raise EngineError(what, "Use a llama.cpp that knows this model, or export safetensors.")


def _quantizer(llama_cpp: Path) -> Path:
    """llama.cpp's own program: of that folder's build, or on the path."""
    built = llama_cpp / "build" / "bin" / _PROGRAM
    found = str(built) if built.is_file() else shutil.which(_PROGRAM)
    if found is None:
        raise MissingExtraError(
            f"q4_k_m is made by llama.cpp's {_PROGRAM}, which is not on the path.",
            "Install llama.cpp (its releases hold it), or export gguf:q8_0, which needs none.",
        )
    return Path(found)
