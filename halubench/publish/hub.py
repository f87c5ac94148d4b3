"""The Hub, through its own client: every fault of it becomes one sentence."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, IncompleteError, InputError, MissingExtraError
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from huggingface_hub import HfApi

    from halubench.publish.base import Bundle, RepoType

_LOGIN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write there."
_AGAIN = "Nothing was published. Run the same command again."


def client() -> HfApi:
    """The client, which takes address and token from the ecosystem's own settings."""
    from huggingface_hub import HfApi

    return HfApi(library_name="halubench")


def check_login() -> None:
    """Raise EngineError where the ecosystem has no token: the Hub would say something less clear."""
    from huggingface_hub import get_token

    if not get_token():
        raise EngineError("There is no token for the Hub.", _LOGIN)


@dataclass(frozen=True)
class Repository:
    """One repository. Raises what :func:`speaking` does, and MissingExtraError when it is made
    without ``huggingface_hub``."""

    name: str
    type: RepoType

    def __post_init__(self) -> None:
        if find_spec("huggingface_hub") is None:
            what = "The Hub needs huggingface_hub, which is not installed."
            raise MissingExtraError(what, "pip install 'halubench[hub]'")

    @cached_property
    def api(self) -> HfApi:
        return client()

    @property
    def url(self) -> str:
        """Where people find it."""
        prefix = "" if self.type == "model" else f"{self.type}s/"
        return f"{self.api.endpoint}/{prefix}{self.name}"

    def head(self, revision: str | None = None) -> str | None:
        """The commit (40 hex digits) of a revision, of the head by default; None: no repository."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with speaking(self.name):
            try:
                info = self.api.repo_info(self.name, repo_type=self.type, revision=revision)
            except RepositoryNotFoundError as error:
                if _status(error) == 401:
                    raise
                return None
        return str(info.sha) if info.sha else None

    def create(self, *, public: bool) -> str:
        """Make it, or find it made meanwhile; its head."""
        with speaking(self.name):
            self.api.create_repo(
                self.name,
                repo_type=self.type,
                private=not public,
                exist_ok=True,
                space_sdk="static" if self.type == "space" else None,
            )
        head = self.head()
        if head is None:
            raise EngineError(f"The Hub made {self.name} and does not show it.", _AGAIN)
        return head

    def standing(self, revision: str) -> dict[str, str]:
        """Every file of a revision: path -> :func:`mark` of its content."""
        with speaking(self.name):
            tree = self.api.list_repo_tree(
                self.name, recursive=True, revision=revision, repo_type=self.type
            )
            files: list[Any] = [entry for entry in tree if hasattr(entry, "blob_id")]
        return {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in files}

    def tags(self) -> dict[str, str]:
        """Tag -> commit."""
        with speaking(self.name):
            refs = self.api.list_repo_refs(self.name, repo_type=self.type)
        return {tag.name: tag.target_commit for tag in refs.tags}

    def commit(
        self, files: Mapping[str, bytes | Path], gone: Sequence[str], message: str, parent: str
    ) -> str:
        """One commit on top of ``parent``, or none at all; its id."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [CommitOperationDelete(path) for path in gone]
        operations += [
            CommitOperationAdd(path, str(each) if isinstance(each, Path) else each)
            for path, each in files.items()
        ]
        with speaking(self.name):
            done = self.api.create_commit(
                self.name,
                operations,
                commit_message=message,
                repo_type=self.type,
                parent_commit=parent,
            )
        return str(done.oid)

    def tag(self, name: str, commit: str) -> None:
        """Name a commit; a tag that is there already stays."""
        with speaking(self.name):
            self.api.create_tag(
                self.name, tag=name, revision=commit, repo_type=self.type, exist_ok=True
            )


def mark(content: bytes | Path) -> tuple[str, str]:
    """The two names by which the Hub knows a content: sha256 (large files), git's blob sha1."""
    data = content.read_bytes() if isinstance(content, Path) else content
    blob = sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return sha256(data).hexdigest(), blob.hexdigest()


def content_tag(bundle: Bundle) -> str:
    """A tag that the same files always get, and no others."""
    parts = (f"{path} {mark(bundle.files[path])[0]}" for path in sorted(bundle.files))
    return f"content-{digest(*parts)[:12]}"


def changes(
    bundle: Bundle, standing: Mapping[str, str]
) -> tuple[dict[str, bytes | Path], list[str]]:
    """What a commit has to write and to remove, given the files that stand there."""
    new = {
        path: content
        for path, content in bundle.files.items()
        if standing.get(path) not in mark(content)
    }
    gone = [path for path in standing if path not in bundle.files and _owned(path, bundle.owned)]
    return new, gone


def _owned(path: str, folders: Sequence[str]) -> bool:
    if path == ".gitattributes":
        return False
    return any(not folder or path.startswith(f"{folder}/") for folder in folders)


@contextmanager
def speaking(name: str) -> Generator[None]:
    """Turn what the client raises into one sentence.

    Raises InputError (no such repository or revision, refused content), EngineError (no or an
    unfit token, the Hub out of reach), IncompleteError (raced by another push, a passing fault).
    """
    import httpx2 as httpx
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as error:
        raise _told(name, _status(error), _server_said(error)) from error
    except (httpx.HTTPError, ConnectionError, TimeoutError) as error:
        what = f"The Hub cannot be reached ({type(error).__name__})."
        raise IncompleteError(what, _AGAIN) from error
    except (ValueError, RuntimeError) as error:
        cause = error.__cause__  # The client wraps what went wrong with one of several uploads.
        if isinstance(cause, HfHubHTTPError):
            raise _told(name, _status(cause), _server_said(cause)) from error
        raise InputError(f"The Hub refuses {name}: {_line(error)}.", "Mend it.") from error


def _told(name: str, status: int, said: str) -> InputError | EngineError | IncompleteError:
    if status == 401:
        return EngineError(f"The Hub does not know who asks for {name} (401).", _LOGIN)
    if status == 403:
        what = f"The token may not do this to {name} (403: {said})."
        return EngineError(what, "Ask its owner for write access, or give another NAMESPACE.")
    if status == 404:
        what = f"The Hub has no {name}, or this token may not see it (404)."
        return InputError(what, "Check name and revision, or log in with `hf auth login`.")
    if status in {409, 412}:
        what = f"{name} was changed by someone else meanwhile ({status})."
        return IncompleteError(what, _AGAIN)
    if status == 429 or status >= 500:
        return IncompleteError(f"The Hub answered {status} for {name}: {said}.", _AGAIN)
    return EngineError(f"The Hub refuses {name} ({status}: {said}).", "Mend what it names.")


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return int(response.status_code) if response is not None else 0


def _server_said(error: Any) -> str:  # noqa: ANN401  (an error of the client)
    return _line(error.server_message or error)


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
