"""Records kept on disk: sequences of which memory holds no more than where each record begins."""

from __future__ import annotations

import os
import pickle
import tempfile
from array import array
from collections.abc import Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeVar, overload

from halubench.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")


class Shelf(Sequence[T]):
    """Records in the order in which they were put here, pickled in a file without a name.

    The file lies where :mod:`tempfile` puts it (``TMPDIR``) and goes with the process, however that
    ends; ``beside`` is a shelf whose file serves this one too. Each reading gives a new object.
    Raises OutputError when the disk is full.
    """

    def __init__(self, records: Iterable[T] = (), beside: Shelf[T] | None = None) -> None:
        with _room():
            self._file: IO[bytes] = _unnamed() if beside is None else beside._file
        self._starts, self._sizes, self._whole = array("Q"), array("I"), True
        for record in records:
            self.append(record)

    def append(self, record: T) -> None:
        """Put one more record here."""
        with _room():
            start = self._file.tell()
            size = self._file.write(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))
        self._starts.append(start)
        self._sizes.append(size)
        self._whole = False

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if not self._whole:
            self._flush()
        found = range(len(self))[place]
        return self._read(found) if isinstance(found, int) else [*map(self._read, found)]

    def _flush(self) -> None:
        with _room():
            self._file.flush()
        self._whole = True

    def _read(self, place: int) -> T:
        pickled = os.pread(self._file.fileno(), self._sizes[place], self._starts[place])
        record: T = pickle.loads(pickled)  # noqa: S301
        return record


class Picked(Sequence[T]):
    """Some of the records of a sequence, read when they are asked for."""

    def __init__(self, records: Sequence[T], places: Iterable[int]) -> None:
        self._records, self._places = records, array("Q", places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, int):
            return self._records[self._places[place]]
        return [self._records[one] for one in self._places[place]]


def _unnamed() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="halubench-")


@contextmanager
def _room() -> Generator[None]:
    try:
        yield
    except OSError as error:
        what = f"The folder for temporary files cannot be written: {error.strerror}."
        raise OutputError(what, "Make room there, or name another by TMPDIR.") from error
