"""Loads classifiers of transformers: configuration, tokenizer, weights, and which ones exactly."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halubench.errors import InputError
from halubench.judges._package import package
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Generator

    from halubench.records import Json

LONGEST = 512
"""Tokens, where neither model nor file says what is the most."""
INSTALL = "Run: pip install 'halubench[transformers]'"
FILES = {".safetensors", ".bin", ".json"}


def config(model: str) -> Any:  # noqa: ANN401
    """The configuration of a classifier. Raises InputError."""
    with _loading(model):
        read = package("transformers", INSTALL).AutoConfig.from_pretrained(model)
    named = " ".join(read.architectures or [])
    if "ForSequenceClassification" not in named and "ForTokenClassification" not in named:
        raise InputError(
            f"{model} is no classifier (its architecture is {named or 'not given'}).",
            "hf-classifier takes models for sequence or token classification; a chat model is "
            "hf:REPO_OR_DIR.",
        )
    return read


def labels(config: Any) -> list[str]:  # noqa: ANN401
    """The names of the outputs, in order."""
    return [str(config.id2label[i]) for i in range(config.num_labels)]


def is_tokens(config: Any) -> bool:  # noqa: ANN401
    return any("ForTokenClassification" in name for name in config.architectures)


def tokenizer(model: str) -> Any:  # noqa: ANN401
    """The tokenizer of a repository or folder. Raises InputError."""
    auto = package("transformers", INSTALL).AutoTokenizer
    with _loading(model):
        return auto.from_pretrained(model)


def longest(read: Any, config: Any) -> int:  # noqa: ANN401
    """The most tokens of an input, by what tokenizer and configuration say."""
    places = getattr(config, "max_position_embeddings", None) or LONGEST
    return min(most for most in (read.model_max_length, places) if most < 10**6)


def load(model: str, kind: str) -> Any:  # noqa: ANN401
    """The weights in single precision, ready to be asked. Raises InputError."""
    torch = package("torch", INSTALL)
    transformers = package("transformers", INSTALL)
    task = "Sequence" if kind == "pair" else "Token"
    with _loading(model):
        loaded = getattr(transformers, f"AutoModelFor{task}Classification").from_pretrained(
            model, dtype=torch.float32
        )
    return loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval()


@contextmanager
def _loading(model: str) -> Generator[None]:
    """Turn what the Hub client and transformers raise into one sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(
            f"{model} cannot be loaded: {said}",
            "Name a folder, or a repository of the Hub that can be reached from here.",
        ) from None


def identity(model: str, config: Any) -> dict[str, Json]:  # noqa: ANN401
    """The model by name, and by commit (of the Hub) or the hash of its weights (a folder)."""
    folder = Path(model)
    if not folder.is_dir():
        commit = getattr(config, "_commit_hash", None)
        return {"engine": "transformers", "model": model, "revision": str(commit or "")}
    files = sorted(path for path in folder.iterdir() if path.suffix in FILES)
    hashes = "".join(_sha256(path) for path in files)
    return {"engine": "transformers", "model": folder.name, "sha256": digest(hashes)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
