"""Records on disk read like a list of them, and a full disk is one sentence."""

from __future__ import annotations

import errno
import pickle
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import OutputError
from halubench.records import Item
from halubench.shelf import Picked, Shelf

OPEN = Path("/proc/self/fd")


@given(st.data(), st.lists(st.text() | st.integers() | st.dictionaries(st.text(), st.text())))
def test_a_shelf_reads_like_the_list(data: st.DataObject, records: list[object]) -> None:
    shelf = Shelf(records)
    assert list(shelf) == records
    part = data.draw(st.slices(len(records)))
    assert shelf[part] == records[part]
    places = data.draw(st.lists(st.sampled_from(range(len(records))))) if records else []
    picked = Picked(shelf, places)
    assert list(picked) == [records[place] for place in places]
    part = data.draw(st.slices(len(places)))
    assert picked[part] == list(picked)[part]


def test_what_is_put_after_a_reading_is_read_too() -> None:
    shelf = Shelf(["a"])
    assert shelf[-1] == "a"
    shelf.append("b" * 100_000)
    assert (shelf[0], shelf[1], len(shelf)) == ("a", "b" * 100_000, 2)


def test_shelves_in_one_file_are_filled_in_turns() -> None:
    one: Shelf[str] = Shelf()
    other = Shelf(beside=one)
    for number in range(5):
        one.append(f"one {number}")
        other.append(f"other {number}" * number)
        assert one[number] == f"one {number}"
    assert list(other) == [f"other {number}" * number for number in range(5)]


@pytest.mark.skipif(not OPEN.is_dir(), reason="open files are counted by /proc")
def test_many_shelves_take_one_open_file() -> None:
    first: Shelf[int] = Shelf()
    before = len(list(OPEN.iterdir()))
    more = [Shelf([number], beside=first) for number in range(50)]
    assert len(list(OPEN.iterdir())) == before
    assert [one[0] for one in more] == list(range(50))


@pytest.mark.parametrize("place", [1, -2])
def test_there_is_nothing_beyond_the_end(place: int) -> None:
    with pytest.raises(IndexError):
        Shelf(["a"])[place]


def test_of_many_records_memory_holds_places_alone() -> None:
    item = Item("s", "i", "general", "word " * 2_000, "q?", "a")
    shelf = Shelf([item] * 500)
    held = sum(
        map(len, (pickle.dumps(value) for name, value in vars(shelf).items() if name != "_file"))
    )
    assert held < 500 * 16
    assert shelf[499] == item


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        flush = close = lambda _: None

        def tell(self) -> int:
            return 0

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(OutputError, match=r"cannot be written: No space left.*TMPDIR"):
        Shelf(["a"])
