"""What is published: the contract between the kinds of folder and the upload."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_Model = TypeVar("_Model", bound=BaseModel)
RepoType = Literal["dataset", "model", "space"]
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FRONT = re.compile(r"\A---\n(?P<yaml>.*?)^---\n", re.DOTALL | re.MULTILINE)
_FRONT_AGAIN = "Put them back as halubench wrote them; the words below are yours."
_TAG = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What a user may set. ``tag``: the content's own name unless given; ``message``: of the
    commit; ``force_gates``: publish although a release gate fails, and say so on the card."""

    public: bool = False
    tag: str | None = None
    message: str | None = None
    force_gates: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes up. ``files``: path in the repository -> its bytes or the local file.

    ``owned``: folders of the repository in which this bundle is the whole content: what else
    stands there is removed by the same commit. ``tagged``: a push names its commit, after the
    content unless the user gives a name. ``rows`` is the content hash that a reload must give back, None where nothing is
    to be reloaded. ``failing``: what speaks against publishing, a sentence each.
    """

    kind: str
    repo_type: RepoType
    title: str
    files: Mapping[str, bytes | Path]
    owned: tuple[str, ...] = ()
    tagged: bool = True
    rows: str | None = None
    failing: tuple[str, ...] = ()


class Kind(Protocol):
    """A module of ``halubench/publish`` (or of a user's ``publish/`` folder)."""

    def matches(self, folder: Path, /) -> bool:
        """Whether the folder is of this kind; looks at names and formats only."""
        ...

    def bundle(self, folder: Path, repo: str, options: PushOptions, /) -> Bundle:
        """What of the folder is published as ``repo``. Raises InputError when it is not whole."""
        ...


def check_repo(repo: str) -> str:
    """``NAMESPACE/NAME`` as it was given. Raises InputError for anything else."""
    if (
        _REPO.fullmatch(repo) is None
        or ".." in repo
        or "--" in repo
        or len(repo) > 96
        or repo.endswith(".git")
    ):
        what = f"{repo!r} does not name a repository of the Hub."
        raise InputError(what, "Write NAMESPACE/NAME, for example our-team/report-pairs.")
    return repo


def check_tag(tag: str) -> str:
    """A tag as it was given. Raises InputError for what git would not take."""
    if _TAG.fullmatch(tag) is None or ".." in tag or tag.endswith((".", ".lock")):
        what = f"{tag!r} cannot be a tag."
        raise InputError(what, "Use letters, digits, dots and dashes, for example v1.0.")
    return tag


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a finished run. Raises InputError naming the file."""
    try:
        found = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        what = f"{path.parent} is not whole: it has no {path.name}."
        raise InputError(what, "Let the run that writes it finish, then push.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Write it again.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object.", "Write it again.")
    return found


def read_as(path: Path, model: type[_Model]) -> _Model:
    """A JSON object of that model. Raises InputError naming file and field."""
    try:
        return model.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        what = f"{path}: field {field}: {first['msg']}."
        raise InputError(what, "Let the command that wrote it write it again.") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def format_is(path: Path, family: str) -> bool:
    """Whether a JSON file is there whose ``format`` is of that family (any version)."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    named = str(found.get("format", "")) if isinstance(found, dict) else ""
    return named.rpartition("/")[0] == family


def addressed(card: Path, repo: str, notice: str = "") -> str:
    """The text of a card, with ``repo`` where it could not yet name its repository, and with a
    ``notice`` between its metadata and its words.

    Raises InputError where the metadata, by which the Hub finds its files, are not there or broken.
    """
    try:
        text = card.read_text("utf-8-sig").replace("PATH_OR_REPOSITORY", repo)
        front = _FRONT.match(text)
        if front is None or not isinstance(yaml.safe_load(front["yaml"]), dict):
            raise InputError(f"{card} does not start with YAML between lines of ---.", _FRONT_AGAIN)
    except UnicodeDecodeError as error:
        raise InputError(f"{card} is not UTF-8 text.", "Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise InputError(f"{card}: its metadata are no YAML ({told}).", _FRONT_AGAIN) from error
    told = f"\n{notice}\n" if notice else ""
    return text[: front.end()] + told + text[front.end() :]
