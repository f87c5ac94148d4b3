"""Publishes a folder: one commit with everything, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from halubench import content
from halubench.errors import InputError, OutputError
from halubench.publish.base import PushOptions, check_repo, check_tag
from halubench.publish.hub import Repository, changes, check_login, content_tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from halubench.publish.base import Bundle, Kind

    Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What happened. ``commit`` is the head that holds the content, ``written`` and ``removed``
    count files (both 0: nothing had changed and no commit was made)."""

    repo: str
    url: str
    kind: str
    commit: str
    tag: str
    written: int
    removed: int
    private: bool
    verified: bool


def push(folder: Path, repo: str, options: PushOptions | None = None, say: Say = str) -> Pushed:
    """Publish a finished folder as ``NAMESPACE/NAME`` and read it back.

    Args:
        folder: of ``generate``, ``evaluate``, ``leaderboard build`` or ``train export``.
        repo: where to; made when it is not there, private unless ``options.public``.
        options: see :class:`halubench.publish.base.PushOptions`.
        say: told each step in a few words.

    All files go up in one commit whose parent is the head that was looked at: a push that is
    killed, refused or raced leaves the repository as it was, and the same command starts anew;
    what was uploaded before is not uploaded again. Where nothing has changed no commit is made.

    Raises InputError (no such kind of folder, gates that fail, a tag of another content),
    EngineError (no or an unfit token), IncompleteError (raced, or the Hub failed), OutputError
    (what was read back is not what was sent), MissingExtraError.
    """
    options = options or PushOptions()
    check_repo(repo)
    bundle = bundle_of(folder, repo, options)
    _check_gates(bundle, options)
    tag = _tag(bundle, options)
    where = Repository(repo, bundle.repo_type)
    check_login()
    say(f"Looking at {repo}")
    head = where.head()
    if head is None:
        say(f"Making {repo} ({'public' if options.public else 'private'})")
        head = where.create(public=options.public)
    new, gone = changes(bundle, where.standing(head))
    _check_tag_is_free(where, tag, head if not (new or gone) else None)
    if new or gone:
        say(f"Uploading {len(new)} files")
        message = options.message or f"Publish {bundle.title}"
        head = where.commit(new, gone, message, head)
    say("Reading it back")
    _check_files(where, bundle, head)
    if tag:
        where.tag(tag, head)
    return Pushed(
        repo=repo,
        url=where.url,
        kind=bundle.kind,
        commit=head,
        tag=tag,
        written=len(new),
        removed=len(gone),
        private=not options.public,
        verified=bundle.rows is not None,
    )


def bundle_of(folder: Path, repo: str, options: PushOptions) -> Bundle:
    """What of a folder is published. Raises InputError when it is of no known kind."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give a folder that halubench finished.")
    names = content.module_names("publish")
    for name in names:
        kind = cast("Kind", content.module("publish", name))
        if kind.matches(folder):
            return kind.bundle(folder, repo, options)
    raise InputError(
        f"{folder} is not a finished folder of halubench (known kinds: {', '.join(names)}).",
        "Give the --out folder of generate, evaluate, leaderboard build or train export.",
    )


def _tag(bundle: Bundle, options: PushOptions) -> str:
    if options.tag is not None:
        return check_tag(options.tag)
    return content_tag(bundle) if bundle.tagged else ""


def _check_gates(bundle: Bundle, options: PushOptions) -> None:
    if bundle.failing and not options.force_gates:
        told = "; ".join(bundle.failing[:3])
        more = f" and {len(bundle.failing) - 3} more" if len(bundle.failing) > 3 else ""
        gates = "gate does" if len(bundle.failing) == 1 else "gates do"
        raise InputError(
            f"{len(bundle.failing)} release {gates} not hold: {told}{more}.",
            "Generate again, or push with --force-gates: the card then says so.",
        )


def _check_tag_is_free(where: Repository, tag: str, head: str | None) -> None:
    """A tag keeps its meaning. ``head``: where it may already stand, None: nowhere."""
    if not tag:
        return
    standing = where.tags().get(tag)
    if standing is not None and standing != head:
        what = f"The tag {tag} of {where.name} is that of another commit ({standing[:12]})."
        raise InputError(what, "Give another --tag.")


def _check_files(where: Repository, bundle: Bundle, commit: str) -> None:
    """What the Hub holds, file by file by its hash, and the rows as ``load_dataset`` gives them."""
    from halubench import dataset

    new, gone = changes(bundle, where.standing(commit))
    same = not (new or gone)
    if same and bundle.rows is not None:
        same = dataset.load(f"hf:{where.name}@{commit}").sha256 == bundle.rows
    if not same:
        what = f"{where.name} was published ({commit[:12]}), but read back it differs from yours."
        raise OutputError(what, "Do not use it; push again, and report this if it stays.")
