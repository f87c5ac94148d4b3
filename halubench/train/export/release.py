"""``train export``: a run, or what was exported of one, as a folder that others can load."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, get_args

from halubench.errors import InputError, OutputError
from halubench.prompt import load_prompt
from halubench.train.export import card, licence

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str], None]

Format = Literal["safetensors", "fp8", "w4a16", "gguf:q8_0", "gguf:q4_k_m"]
FORMATS: tuple[Format, ...] = get_args(Format)
FORMAT = "halubench/judge/1"
MANIFEST = "halubench.json"
PROMPT = "judge_prompt.jinja"


@dataclass(frozen=True, slots=True)
class Ask:
    """What to export. ``run`` is a folder of ``train run``, or one that was exported as
    safetensors. ``llama_cpp`` is a checkout of llama.cpp, for GGUF. ``licenses`` are of the
    training data, ``base_license`` of the base model, where their cards do not say."""

    run: Path
    out: Path
    format: Format = "safetensors"
    llama_cpp: Path | None = None
    licenses: tuple[str, ...] = ()
    base_license: str | None = None
    results: tuple[Path, ...] = ()


def export(ask: Ask, say: Say) -> Path:
    """Write ``ask.out`` and return it.

    Raises InputError (no finished run, a name that the licence forbids), MissingExtraError (a
    format whose tool is not installed), OutputError (a folder that holds something else).
    """
    if ask.format not in FORMATS:
        raise InputError(f"There is no format {ask.format!r}.", f"Known: {', '.join(FORMATS)}.")
    made = read(ask.run)
    if ask.out.exists() and any(ask.out.iterdir()):
        raise OutputError(f"{ask.out} holds files already.", "Give a new folder by --out.")
    data, base = _data_licences(ask, made), _base_licence(ask, made)
    made = {**made, "licenses": data, "base_license": base}
    terms = licence.terms(card.public(str(made["base_model"])), base, data)
    licence.check_name(ask.out.name, terms)
    if ask.format == "safetensors":
        _weights(ask.run, ask.out, made, say)
    else:
        with TemporaryDirectory(dir=ask.out.parent) as folder:
            whole = _whole(ask.run, Path(folder) / "whole", made, say)
            _converted(ask, whole, made, say)
    _describe(ask, made, terms)
    return ask.out


def read(run: Path) -> dict[str, Any]:
    """The manifest of a finished run, or of an export. Raises InputError."""
    for name in ("run.json", MANIFEST):
        if (run / name).is_file():
            found: dict[str, Any] = json.loads((run / name).read_text("utf-8"))
            return found
    raise InputError(
        f"{run} is no finished run: it has neither run.json nor {MANIFEST}.",
        "Give the --out of `halubench train run` once it is done.",
    )


def _weights(run: Path, out: Path, made: dict[str, Any], say: Say) -> None:
    if (run / MANIFEST).is_file():
        raise InputError(f"{run} is exported already.", "Name another --format.")
    from halubench.train.export import weights

    say(f"Writing bf16 weights to {out} ...")
    weights.write(run, out, made)


def _whole(run: Path, folder: Path, made: dict[str, Any], say: Say) -> Path:
    """The run as safetensors: itself where it is an export."""
    if (run / MANIFEST).is_file():
        return run
    _weights(run, folder, made, say)
    return folder


def _converted(ask: Ask, whole: Path, made: dict[str, Any], say: Say) -> None:
    if made["recipe"].get("kind") == "classifier":
        raise InputError(
            f"A classifier is exported as safetensors, not as {ask.format}.",
            "Leave --format out.",
        )
    say(f"Converting to {ask.format} ...")
    if ask.format in ("fp8", "w4a16"):
        from halubench.train.export import compress

        compress.write(whole, ask.out, ask.format)
        return
    from halubench.train.export import gguf

    gguf.write(whole, ask.out, ask.format.partition(":")[2], ask.llama_cpp)


def _describe(ask: Ask, made: dict[str, Any], terms: licence.Terms) -> None:
    """The judge prompt, the manifest and the card."""
    prompt = _prompt(ask.run, made)
    (ask.out / PROMPT).write_text(prompt, "utf-8")
    manifest = {**_published(made), "weights": ask.format, "prompt_hash": _hash(made)}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (ask.out / MANIFEST).write_text(text, "utf-8")
    (ask.out / "README.md").write_text(card.render(ask, manifest, terms), "utf-8")
    for name, told in terms.files.items():
        (ask.out / name).write_text(told, "utf-8")


def _published(made: dict[str, Any]) -> dict[str, Any]:
    """Without the folders of the machine it was made on."""
    asked = made["data"]["asked"]
    names = {key: [Path(ref).name for ref in asked.get(key, [])] for key in ("data", "benchmarks")}
    data = {**made["data"], "asked": {**asked, **names}}
    data["data_sha256"] = {Path(k).name: v for k, v in data.get("data_sha256", {}).items()}
    return {**made, "format": FORMAT, "base_model": card.public(made["base_model"]), "data": data}


def _hash(made: dict[str, Any]) -> str:
    data = made["data"]
    found: str = data.get("prompt_hash", "")
    return found


def _prompt(run: Path, made: dict[str, Any]) -> str:
    """The text of the judge prompt that the data was prepared with.

    Raises InputError where the file of that name has changed since.
    """
    kept = run / PROMPT
    if kept.is_file():
        return kept.read_text("utf-8")
    name = made["data"]["asked"]["prompt"]
    prompt = load_prompt("judge", name)
    if _hash(made) and prompt.hash != _hash(made):
        raise InputError(
            f"{prompt.path} has changed since the data was prepared ({_hash(made)}, now "
            f"{prompt.hash}).",
            "Name the folder with the prompt of that time by --content.",
        )
    return prompt.path.read_text("utf-8")


def _base_licence(ask: Ask, made: dict[str, Any]) -> str | None:
    """As given, else as an earlier export or the base model's own card says."""
    known: str | None = made.get("base_license") or licence.of_card(Path(made["base_model"]))
    return ask.base_license or known


def _data_licences(ask: Ask, made: dict[str, Any]) -> list[str]:
    """As given, else as an earlier export or the datasets that the rows come from say."""
    given = [*ask.licenses] or [*made.get("licenses", [])]
    if given:
        return given
    found: set[str] = set()
    for ref in made["data"]["asked"].get("data", []):
        path = Path(ref) / "manifest.json"
        known = json.loads(path.read_text("utf-8")).get("licenses") if path.is_file() else None
        found.update(known or [])
    return sorted(found)


def copy_tokenizer(source: Path, out: Path) -> None:
    """Tokenizer, chat template and generation settings, which a quantizer does not write."""
    kept = re.compile(r"(tokenizer|special_tokens|chat_template|generation_config|vocab|merges)")
    for path in source.iterdir():
        if kept.match(path.name) and not (out / path.name).exists():
            shutil.copyfile(path, out / path.name)
