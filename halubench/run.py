"""The run folder and its journal of paid calls: killed at any point, nothing is paid for twice."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from halubench.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from halubench.records import Json

_TABLES = """
create table if not exists answers (key text primary key, payload text not null);
create table if not exists identities (id text primary key, identity text not null) without rowid;
create table if not exists notes (name text primary key, value text not null) without rowid;
"""
_GET_ALL = """
select answers.key, payload from json_each(?) as asked join answers on answers.key = asked.value
"""


def canonical(value: object) -> str:
    """JSON with sorted keys, no white space and ASCII only: equal values give equal text.

    Takes mappings and dataclasses wherever JSON has objects.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> dict[str, object]:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def to_json(value: object) -> bytes:
    """JSON as :func:`canonical`, but UTF-8 and several times faster; escaped ASCII where the value
    holds what UTF-8 cannot (a lone surrogate)."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return canonical(value).encode()


def identity_id(identity: Mapping[str, Json]) -> str:
    """The name under which a journal knows an engine (16 hex digits)."""
    return sha256(canonical(identity).encode()).hexdigest()[:16]


def request_key(identity: Mapping[str, Json], request: object) -> str:
    """The sha256 (hex) of everything that decides an answer: the engine and the whole request.

    ``request`` is a :class:`halubench.models.base.Request`; every field of it counts.
    """
    return sha256(to_json([identity, request])).hexdigest()


class Journal:
    """Answers by request key, in one SQLite file (write-ahead log).

    ``synchronous=NORMAL``: what :meth:`put` has returned from survives a kill -9 of the process;
    a power cut may lose the last answers, never the file (https://sqlite.org/wal.html).
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create. Raises OutputError (cannot be written) or InputError (no journal)."""
        self.path = path
        self._db = _read_only(path) if read_only else _writable(path)

    def get(self, key: str) -> str | None:
        """The payload under that key."""
        row = self._db.execute("select payload from answers where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def get_all(self, keys: Sequence[str]) -> dict[str, str]:
        """The payloads under those keys that there are; one query costs a fifth of one each."""
        asked = (json.dumps(keys),)
        return dict(self._db.execute(_GET_ALL, asked).fetchall())

    def put(self, key: str, payload: str) -> None:
        """Keep a payload; committed on return. Raises OutputError (disk full, read-only)."""
        self.put_all([(key, payload)])

    def put_all(self, answers: Sequence[tuple[str, str]]) -> None:
        """Keep (key, payload) pairs in one transaction, as :meth:`put`."""
        with _writing(self.path), self._db:
            self._db.execute("begin immediate")
            self._db.executemany("insert or replace into answers values (?, ?)", answers)

    def note(self, name: str, value: Json) -> None:
        """Keep what an engine must know after a kill (a batch's id); committed on return."""
        with _writing(self.path):
            row = (name, json.dumps(value))
            self._db.execute("insert or replace into notes values (?, ?)", row)

    def notes(self, prefix: str) -> dict[str, Json]:
        """What :meth:`note` kept under names that begin so, in the order of the names."""
        rows = self._db.execute("select name, value from notes order by name")
        return {str(name): json.loads(value) for name, value in rows if name.startswith(prefix)}

    def remember(self, identity: Mapping[str, Json]) -> None:
        """Note that answers of that engine are in here, so that ``replay:`` can look them up."""
        with _writing(self.path):
            row = (identity_id(identity), canonical(identity))
            self._db.execute("insert or ignore into identities values (?, ?)", row)

    def identities(self) -> dict[str, dict[str, Json]]:
        """Every remembered engine, by :func:`identity_id`."""
        rows = self._db.execute("select id, identity from identities order by id")
        return {str(name): json.loads(identity) for name, identity in rows}

    def absorb(self, path: Path) -> None:
        """Take over the answers of another journal that are not in here.

        Raises InputError (no journal), OutputError (cannot be written).
        """
        _read_only(path).close()
        with _writing(self.path):
            self._db.execute("attach database ? as other", (f"{path.resolve().as_uri()}?mode=ro",))
            try:
                for table in ("answers", "identities"):
                    self._db.execute(f"insert or ignore into {table} select * from other.{table}")  # noqa: S608
            finally:
                self._db.execute("detach database other")

    def __len__(self) -> int:
        return int(self._db.execute("select count(*) from answers").fetchone()[0])

    def close(self) -> None:
        """Fold the write-ahead log into the one file and close it."""
        self._db.close()


def publish(folder: Path, texts: Mapping[str, str], mark: str) -> list[Path]:
    """Write files into a folder that others may use too, each whole or not at all; their paths.

    ``mark`` is the JSON file among them whose ``format`` says whose they are. Raises OutputError
    when they cannot be written, or when a file of such a name is there and of something else.
    """
    standing = [folder / name for name in texts if (folder / name).exists()]
    if standing and _family(folder / mark) != json.loads(texts[mark])["format"].rpartition("/")[0]:
        raise OutputError(f"{standing[0]} is there and is not of this command.", _OTHER)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with _writing(folder / name):
            _replace(folder / name, [text])
    return [folder / name for name in texts]


def _family(path: Path) -> object:
    """The ``format`` of a JSON file without its version; None where it has none."""
    try:
        return str(json.loads(path.read_text("utf-8"))["format"]).rpartition("/")[0]
    except (OSError, ValueError, LookupError, TypeError):
        return None


class RunFolder:
    """The folder of one job: what was asked, its journal and its results; one writer at a time."""

    def __init__(self, path: Path, lock: IO[bytes], *, new: bool = False) -> None:
        self.path = path
        self._lock = lock
        self._new = new
        self.journal = Journal(path / "journal.sqlite")

    @classmethod
    def open(cls, path: Path, ask: Mapping[str, Json]) -> RunFolder:
        """Create the folder, or re-open it for the same ``ask``.

        Raises OutputError when the folder cannot be written, belongs to another ask or to
        something else, or when another process is writing it.
        """
        with _writing(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        try:
            new = not (path / "ask.json").exists()
            _claim(path, ask)
            return cls(path, lock, new=new)
        except BaseException:
            lock.close()
            raise

    def write_text(self, name: str, text: str) -> Path:
        """Write a file whole or not at all. Raises OutputError."""
        return self.write_parts(name, [text])

    def write_parts(self, name: str, parts: Iterable[str]) -> Path:
        """Write a file of these texts one after the other, as :meth:`write_text`; no two of them are
        held at once."""
        target = self.path / name
        with _writing(target):
            _replace(target, parts)
        return target

    def write_json(self, name: str, value: object) -> Path:
        """Write indented JSON with sorted keys, whole or not at all. Raises OutputError."""
        return self.write_text(name, _pretty(value))

    def close(self) -> None:
        """Close the journal and let other processes in."""
        self.journal.close()
        self._lock.close()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close; a run that failed before it had anything to keep leaves the folder free."""
        if kind is not None and self._new and not len(self.journal):
            self._withdraw()
        self.close()

    def _withdraw(self) -> None:
        if any(one.name not in _OWN for one in self.path.iterdir()):
            return
        self.journal.close()
        with suppress(OSError):
            for name in _OWN:  # The lock last: until then nobody else claims the folder.
                (self.path / name).unlink(missing_ok=True)
            self.path.rmdir()


def _claim(path: Path, ask: Mapping[str, Json]) -> None:
    mine = _pretty(ask)
    try:
        found = json.loads((path / "ask.json").read_text("utf-8"))
    except FileNotFoundError:
        if any(not entry.name.startswith(".") for entry in path.iterdir()):
            raise OutputError(
                f"{path} holds files that are not of a halubench run.",
                "Give a new folder by --out.",
            ) from None
        with _writing(path):
            _replace(path / "ask.json", [mine])
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"{path / 'ask.json'} cannot be read ({error}).", _OTHER) from error
    differing = _differing(found, json.loads(mine))
    if differing:
        raise OutputError(f"{path} is the folder of another run: {', '.join(differing)}.", _OTHER)


_OWN = ("ask.json", "journal.sqlite-shm", "journal.sqlite-wal", "journal.sqlite", ".lock")
"""What :meth:`RunFolder.open` itself writes."""
_OTHER = "Give another folder by --out."


def _differing(found: Mapping[str, Json], ask: Mapping[str, Json]) -> list[str]:
    names = sorted({*found, *ask})
    return [
        f"{name} was {_short(found.get(name))} and is now {_short(ask.get(name))}"
        for name in names
        if found.get(name) != ask.get(name)
    ]


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _pretty(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _locked(path: Path) -> IO[bytes]:
    """An exclusive lock that the operating system releases when the process ends, however."""
    handle = (path / ".lock").open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
            raise
        raise OutputError(
            f"Another process is writing {path}.", "Wait for it, or give another --out."
        ) from None
    return handle


def _replace(target: Path, parts: Iterable[str]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:  # A lone surrogate (a model can answer one) as its JSON escape.
                file.write(part.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """Turn a full disk, a read-only folder and their like into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}.", _ROOM) from error
    except sqlite3.Error as error:
        raise OutputError(f"{path} cannot be written: {error}.", _ROOM) from error


_ROOM = "Make room or give another --out; what was journalled is kept."


def _writable(path: Path) -> sqlite3.Connection:
    with _writing(path):
        db = sqlite3.connect(path.resolve().as_uri(), uri=True, isolation_level=None, timeout=10)
        if not path.stat().st_size:  # Nothing to lose: no change need be logged or waited for.
            db.execute("pragma journal_mode=memory")
            db.execute("pragma synchronous=off")
        db.execute("pragma journal_mode=wal")
        db.executescript(_TABLES)
        db.execute("pragma synchronous=normal")
        db.execute("pragma wal_autocheckpoint=4000")  # pages: fewer waits for the disk
    return db


def _read_only(path: Path) -> sqlite3.Connection:
    """Read without leaving a trace; ``immutable`` serves a journal in a read-only folder."""
    if not path.is_file():
        raise InputError(f"There is no journal {path}.", "Give the journal.sqlite of a run folder.")
    for mode in ("mode=ro", "immutable=1"):
        db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
        try:
            db.execute("select count(*) from identities, answers limit 0").fetchone()
        except sqlite3.Error as error:
            db.close()
            reason = str(error)
        else:
            return db
    raise InputError(f"{path} is not a journal: {reason}.", "Give the journal.sqlite of a run.")
