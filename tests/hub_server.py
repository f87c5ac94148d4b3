"""A real HTTP server on loopback that speaks the part of the Hub's API that its clients call here.

Use it with unmodified clients, in a process whose HF_ENDPOINT is ``hub.url``::

    with HubServer() as hub:
        env = hub.environ(tmp_path)

It keeps repositories in memory: commits are lists of files by path, one after the other, and a
commit whose parent is not the head is refused, as the Hub does. Large files (``*.parquet``) come by
Git LFS, or by Xet where ``xet=True`` (:mod:`hub_cas`); all others inside the commit.

``hub.faults`` holds functions from a request to a response or None, asked before anything else:
see :func:`fail`. ``hub.log`` lists every request as "METHOD path".
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from hub_cas import Cas

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "hf_" + "loopback"  # Not a token of anybody's.
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
MAIN = "main"
EMPTY = hashlib.sha1(b"an empty repository", usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class File:
    """A content: ``large`` ones are known by their sha256, others by git's blob id."""

    data: bytes
    large: bool = False

    @property
    def blob(self) -> str:
        return hashlib.sha1(
            b"blob %d\0" % len(self.data) + self.data, usedforsecurity=False
        ).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Repo:
    """One repository: commits oldest first, each with all of its files."""

    private: bool
    commits: list[tuple[str, dict[str, File], str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.commits.append((EMPTY, {".gitattributes": File(b"*.parquet filter=lfs\n")}, "initial"))

    @property
    def head(self) -> str:
        return self.commits[-1][0]

    def find(self, revision: str) -> tuple[str, dict[str, File]] | None:
        wanted = self.head if revision == MAIN else self.tags.get(revision, revision)
        for oid, files, _ in self.commits:
            if oid.startswith(wanted) and len(wanted) >= 7:
                return oid, files
        return None

    @property
    def published(self) -> list[str]:
        """The messages of all commits but the first, which making the repository leaves."""
        return [message for _, _, message in self.commits[1:]]


def fail(method: str, part: str, status: int, *, times: int = 1, said: str = "no") -> Fault:
    """Answer the next ``times`` requests of that method whose path holds ``part`` with a status."""
    left = [times]

    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.method != method or part not in request.path or not left[0]:
            return None
        left[0] -= 1
        return refuse(status, said)

    return fault


def drop(method: str, part: str, *, times: int = 1) -> Fault:
    """Cut the connection of the next ``times`` such requests, with no answer at all."""
    left = [times]

    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.method != method or part not in request.path or not left[0]:
            return None
        left[0] -= 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    return fault


def refuse(status: int, said: str, code: str = "") -> web.Response:
    headers = {"X-Error-Message": said, **({"X-Error-Code": code} if code else {})}
    return web.json_response({"error": said}, status=status, headers=headers)


class HubServer:
    """See the module. ``quota``: bytes of large files that may be stored, None: any."""

    def __init__(self, *, xet: bool = False, quota: int | None = None) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.log: list[str] = []
        self.xet, self.quota = xet, quota
        self.cas = Cas()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> HubServer:
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> str:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    def environ(self, home: Path, token: str | None = TOKEN) -> dict[str, str]:
        """Settings for a process that talks to this Hub and to no other."""
        found = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_XET": "0" if self.xet else "1",
        }
        return found | ({"HF_TOKEN": token} if token else {})

    def repo(self, name: str, kind: str = "datasets") -> Repo:
        return self.repos[kind, name]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.log.append(f"{request.method} {request.path}")
        for fault in self.faults:
            response = await fault(request)
            if response is not None:
                return response
        parts = request.path.strip("/").split("/")
        if parts[0] == "cas":
            return await self.cas.answer(request, parts[1:])
        if request.headers.get("Authorization") not in {f"Bearer {TOKEN}", None}:
            return refuse(401, "Invalid credentials in Authorization header")
        if parts[0] == "api":
            return await self._api(request, parts[1:])
        return await self._files(request, parts)

    async def _api(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        if parts == ["validate-yaml"]:
            return web.json_response({"errors": [], "warnings": []})
        if parts == ["repos", "create"]:
            return await self._create(request)
        return await self._verb(request, parts[0], "/".join(parts[1:3]), parts[3:])

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if "Authorization" not in request.headers:
            return refuse(401, "Invalid username or password.")
        name = f"{asked.get('organization')}/{asked['name']}"
        kind = f"{asked.get('type', 'model')}s"
        url = f"{self.url}/{kind}/{name}"
        if (kind, name) in self.repos:
            return web.json_response({"error": "You already created it", "url": url}, status=409)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.repos[kind, name] = Repo(bool(private))
        return web.json_response({"url": url, "name": name, "id": "1"})

    async def _verb(
        self, request: web.Request, kind: str, name: str, rest: list[str]
    ) -> web.StreamResponse:
        repo = self.repos.get((kind, name))
        if repo is None or (repo.private and "Authorization" not in request.headers):
            return refuse(404, "Repository not found", "RepoNotFound")
        if not rest:
            rest = ["revision", MAIN]
        if rest[0] == "refs":
            return web.json_response(
                {
                    "branches": [
                        {"name": MAIN, "ref": "refs/heads/main", "targetCommit": repo.head}
                    ],
                    "converts": [],
                    "tags": [
                        {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": oid}
                        for tag, oid in repo.tags.items()
                    ],
                }
            )
        found = repo.find(rest[1])
        if found is None:
            return refuse(404, "Revision not found", "RevisionNotFound")
        verbs: Mapping[str, Callable[..., Awaitable[web.StreamResponse]]] = {
            "revision": self._revision,
            "tree": self._tree,
            "paths-info": self._paths,
            "preupload": self._preupload,
            "commit": self._commit,
            "tag": self._tag,
            "xet-write-token": self._xet_token,
            "xet-read-token": self._xet_token,
        }
        if rest[0] not in verbs:
            return refuse(404, f"this Hub does not know {rest[0]}", "EntryNotFound")
        return await verbs[rest[0]](request, (name, repo, *found), rest[2:])

    async def _revision(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        name, repo, oid, files = at
        siblings = [{"rfilename": path} for path in files]
        return web.json_response(
            {"id": name, "sha": oid, "private": repo.private, "siblings": siblings, "tags": []}
        )

    async def _tree(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        return web.json_response(self._listed(at[3], "/".join(rest), request))

    def _listed(
        self, files: dict[str, File], folder: str, request: web.Request
    ) -> list[dict[str, Any]]:
        start = f"{folder}/" if folder else ""
        deep = request.query.get("recursive", "").lower() in {"true", "1"}
        told: dict[str, dict[str, Any]] = {}
        for path, one in files.items():
            if path.startswith(start):
                first, slash, _ = path[len(start) :].partition("/")
                parent = f"{start}{first}"
                if slash:
                    told[parent] = {"type": "directory", "path": parent, "size": 0, "oid": EMPTY}
                if deep or not slash:
                    told[path] = self._entry(path, one)
        return list(told.values())

    def _entry(self, path: str, one: File) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "file",
            "path": path,
            "size": len(one.data),
            "oid": one.blob,
        }
        if one.large:
            entry["lfs"] = {"oid": one.sha256, "size": len(one.data), "pointerSize": 134}
        return entry

    async def _paths(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        if request.content_type == "application/json":
            paths = (await request.json())["paths"]
        else:
            paths = [str(path) for path in (await request.post()).getall("paths")]
        files = at[3]
        told = [self._entry(path, files[path]) for path in paths if path in files]
        told += [
            {"type": "directory", "path": path, "size": 0, "oid": EMPTY}
            for path in paths
            if path not in files and any(each.startswith(f"{path}/") for each in files)
        ]
        return web.json_response(told)

    async def _preupload(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        asked = await request.json()
        return web.json_response(
            {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if one["path"].endswith(".parquet") else "regular",
                        "shouldIgnore": False,
                    }
                    for one in asked["files"]
                ]
            }
        )

    async def _commit(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        name, repo, _, _ = at
        lines = [json.loads(line) for line in (await request.read()).splitlines()]
        header, operations = lines[0]["value"], lines[1:]
        if header.get("parentCommit", repo.head) != repo.head:
            return refuse(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[-1][1])
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = File(base64.b64decode(value["content"]))
            elif operation["key"] == "lfsFile":
                data = self.large.get(value["oid"], self.cas.by_sha256(value["oid"]))
                if data is None:
                    return refuse(400, f"the content of {value['path']} was not uploaded")
                files[value["path"]] = File(data, large=True)
            elif operation["key"] == "deletedFile":
                files.pop(value["path"])
        state = json.dumps([repo.head, {path: one.sha256 for path, one in files.items()}])
        oid = hashlib.sha1(state.encode(), usedforsecurity=False).hexdigest()
        repo.commits.append((oid, files, header["summary"]))
        kind = request.path.split("/")[2]
        url = f"{self.url}/{'' if kind == 'models' else f'{kind}/'}{name}/commit/{oid}"
        return web.json_response({"success": True, "commitOid": oid, "commitUrl": url})

    async def _tag(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        _, repo, oid, _ = at
        name = (await request.json())["tag"]
        if name in repo.tags:
            return refuse(409, "Tag reference exists already")
        repo.tags[name] = oid
        return web.json_response({})

    async def _xet_token(
        self, request: web.Request, at: tuple[str, Repo, str, dict[str, File]], rest: list[str]
    ) -> web.Response:
        headers = {
            "X-Xet-Cas-Url": f"{self.url}/cas",
            "X-Xet-Access-Token": "loopback",
            "X-Xet-Token-Expiration": "4102444800",
        }
        told = {"casUrl": f"{self.url}/cas", "accessToken": "loopback", "exp": 4102444800}
        return web.json_response(told, headers=headers)

    async def _files(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        """Downloads, and where large files go."""
        if parts[0] == "lfs":
            return await self._large(request, parts[1:])
        kind = parts.pop(0) if parts[0] in {"datasets", "spaces"} else "models"
        name = "/".join(parts[:2])
        if name.endswith(".git"):
            return await self._batch(request, name.removesuffix(".git"))
        repo = self.repos.get((kind, name))
        if repo is None or (repo.private and "Authorization" not in request.headers):
            return refuse(404, "Repository not found", "RepoNotFound")
        found = repo.find(parts[3])
        if found is None:
            return refuse(404, "Revision not found", "RevisionNotFound")
        oid, files = found
        one = files.get("/".join(parts[4:]))
        if one is None:
            return refuse(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": oid, "ETag": f'"{one.sha256 if one.large else one.blob}"'}
        return web.Response(body=one.data, headers=headers)

    async def _batch(self, request: web.Request, name: str) -> web.Response:
        asked = await request.json()
        told: list[dict[str, Any]] = []
        for one in asked["objects"]:
            entry: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.large:
                stored = sum(map(len, self.large.values()))
                if self.quota is not None and stored + one["size"] > self.quota:
                    entry["error"] = {"code": 403, "message": "Your storage quota is used up"}
                else:
                    entry["actions"] = {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}}
            told.append(entry)
        return web.json_response({"transfer": "basic", "objects": told})

    async def _large(self, request: web.Request, parts: list[str]) -> web.Response:
        data = await request.read()
        if hashlib.sha256(data).hexdigest() != parts[0]:
            return refuse(400, "the content is not that of its name")
        self.large[parts[0]] = data
        return web.Response()
