"""Fetches what was pushed, as a folder that every command takes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from halubench.errors import InputError, OutputError
from halubench.publish.base import check_repo
from halubench.publish.hub import Repository, client, speaking

if TYPE_CHECKING:
    from halubench.publish.base import RepoType


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was fetched: ``files`` files of ``repo`` at ``commit`` into ``out``."""

    repo: str
    commit: str
    out: Path
    files: int


def pull(ref: str, out: Path, repo_type: RepoType = "dataset") -> Pulled:
    """Fetch ``NAMESPACE/NAME[@REVISION]`` into the folder ``out``, whole or not at all.

    Raises InputError (no such repository or revision), OutputError (``out`` is in use, no room),
    EngineError (token), IncompleteError (the Hub failed), MissingExtraError.
    """
    repo, _, revision = ref.removeprefix("hf:").partition("@")
    check_repo(repo)
    if out.exists() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty.", "Give a new folder by --out.")
    commit = Repository(repo, repo_type).head(revision or None)
    if commit is None:
        what = f"The Hub has no {repo_type} {repo}, or this token may not see it."
        raise InputError(what, "Check the name, or log in with `hf auth login`.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            return Pulled(repo, commit, out, _fetch(repo, repo_type, commit, Path(scratch), out))
    except OSError as error:
        what = f"{out} cannot be written: {error.strerror or error}."
        raise OutputError(what, "Make room or give another --out.") from error


def _fetch(repo: str, repo_type: RepoType, commit: str, scratch: Path, out: Path) -> int:
    with speaking(repo):
        client().snapshot_download(
            repo, repo_type=repo_type, revision=commit, local_dir=scratch / "got"
        )
    shutil.rmtree(scratch / "got" / ".cache", ignore_errors=True)
    (scratch / "got" / ".gitattributes").unlink(missing_ok=True)
    if out.exists():
        out.rmdir()
    (scratch / "got").replace(out)
    return sum(path.is_file() for path in out.rglob("*"))
