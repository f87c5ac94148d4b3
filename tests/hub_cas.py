"""The storage behind a Hub that speaks Xet: takes what clients upload and puts files together again.

Of the Xet protocol (https://huggingface.co/docs/xet) it knows what an upload needs: xorbs, which
hold compressed chunks, and shards, which say of which chunks a file consists. Hashes are taken as
the client names them; the sha256 that a shard gives of a file is checked.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import lz4.frame
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRY = 48
_VERIFIED, _WITH_SHA256 = 1 << 31, 1 << 30


class Cas:
    """Xorbs by hash, and files by sha256."""

    def __init__(self) -> None:
        self.xorbs: dict[str, list[bytes]] = {}
        self.files: dict[str, bytes] = {}

    def by_sha256(self, sha256: str) -> bytes | None:
        return self.files.get(sha256)

    async def answer(self, request: web.Request, parts: list[str]) -> web.Response:
        if parts[:2] == ["v1", "xorbs"] and request.method == "POST":
            new = parts[-1] not in self.xorbs
            self.xorbs[parts[-1]] = list(_chunks(await request.read()))
            return web.json_response({"was_inserted": new})
        if parts[:2] == ["v1", "shards"] and request.method == "POST":
            for sha256, data in _files(await request.read(), self.xorbs):
                if hashlib.sha256(data).hexdigest() != sha256:
                    return web.json_response({"error": "sha256 differs"}, status=400)
                self.files[sha256] = data
            return web.json_response({"result": 1})
        return web.json_response({"error": "not known"}, status=404)


def name_of(raw: bytes) -> str:
    """A hash as paths write it: four little-endian numbers in hexadecimal."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def _chunks(xorb: bytes) -> Iterator[bytes]:
    """The chunks of a xorb, each behind a header of eight bytes; what follows them is a footer."""
    place = 0
    while place + 8 <= len(xorb) and xorb[place] == 0:
        packed = int.from_bytes(xorb[place + 1 : place + 4], "little")
        scheme = xorb[place + 4]
        whole = int.from_bytes(xorb[place + 5 : place + 8], "little")
        body = xorb[place + 8 : place + 8 + packed]
        yield _unpack(scheme, body, whole)
        place += 8 + packed


def _unpack(scheme: int, body: bytes, whole: int) -> bytes:
    if scheme == 0:
        return body
    data = bytes(lz4.frame.decompress(body))
    if scheme == 2:  # Bytes grouped by their place modulo four before compression.
        sizes = [(whole + 3 - n) // 4 for n in range(4)]
        starts = [sum(sizes[:n]) for n in range(4)]
        mixed = bytearray(whole)
        for n, (start, size) in enumerate(zip(starts, sizes, strict=True)):
            mixed[n::4] = data[start : start + size]
        data = bytes(mixed)
    assert len(data) == whole
    return data


def _files(shard: bytes, xorbs: dict[str, list[bytes]]) -> Iterator[tuple[str, bytes]]:
    """(sha256, content) of every file that a shard describes."""
    place = _ENTRY  # The header.
    while shard[place : place + 32] != b"\xff" * 32:
        flags, count = struct.unpack_from("<II", shard, place + 32)
        place += _ENTRY
        data = b""
        for _ in range(count):
            xorb = name_of(shard[place : place + 32])
            _, _, start, end = struct.unpack_from("<IIII", shard, place + 32)
            data += b"".join(xorbs[xorb][start:end])
            place += _ENTRY
        if flags & _VERIFIED:
            place += _ENTRY * count
        if flags & _WITH_SHA256:
            yield name_of(shard[place : place + 32]), data
            place += _ENTRY
