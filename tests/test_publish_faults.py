"""What goes wrong on the way to the Hub: one sentence each, and nothing half-published."""

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest
from aiohttp import web
from hub_server import Fault, drop, fail
from publish_world import Desk

COMMIT, LARGE = "/commit/", "/lfs/"


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (fail("POST", "repos/create", 403, said="no right to us"), 4, "403: no right to us"),
        (fail("POST", COMMIT, 403, said="read only"), 4, "403: read only"),
        (fail("POST", COMMIT, 401), 4, "hf auth login"),
        (fail("POST", COMMIT, 409), 75, "changed by someone else meanwhile (409)"),
        (fail("POST", COMMIT, 412), 75, "changed by someone else meanwhile (412)"),
        (fail("POST", COMMIT, 503, said="down"), 75, "503"),
        (fail("PUT", LARGE, 400, said="bad"), 4, "400"),
        (drop("POST", COMMIT), 75, "cannot be reached"),
    ],
    ids=["403-create", "403", "401", "409", "412", "503", "400-upload", "dropped"],
)
def test_a_fault_publishes_nothing_and_the_same_command_then_does(
    fault: Fault, code: int, said: str, run_folder: Path, desk: Desk
) -> None:
    desk.hub.large.clear()
    desk.hub.faults.append(fault)
    failed = desk.push(run_folder)
    assert failed.code == code, failed.err
    assert said in failed.err
    assert "Traceback" not in failed.err
    made = desk.hub.repos.get(("datasets", desk.name))
    assert made is None or not (made.published or made.tags)
    again = desk.push(run_folder)
    assert again.code == 0, again.err
    assert len(desk.repo.published) == 1


@pytest.mark.parametrize("fault", [fail("PUT", LARGE, 500), drop("PUT", LARGE)], ids=["500", "cut"])
def test_a_passing_fault_of_an_upload_is_tried_again(
    fault: Fault, run_folder: Path, desk: Desk
) -> None:
    desk.hub.large.clear()
    desk.hub.faults.append(fault)
    done = desk.push(run_folder)
    assert done.code == 0, done.err
    assert len(desk.repo.published) == 1


def test_a_full_quota_publishes_nothing(run_folder: Path, desk: Desk) -> None:
    desk.hub.large.clear()
    desk.hub.quota = 5_000
    failed = desk.push(run_folder)
    assert failed.code != 0
    assert "quota is used up" in failed.err
    assert "Traceback" not in failed.err
    assert not desk.repo.published


def test_a_commit_whose_answer_was_lost_is_not_made_twice(run_folder: Path, desk: Desk) -> None:
    """The commit happened and the connection broke before the tag: the next push only tags."""
    desk.hub.faults.append(drop("POST", "/tag/"))
    lost = desk.push(run_folder)
    assert lost.code == 75
    assert len(desk.repo.published) == 1
    assert not desk.repo.tags
    done = desk.push(run_folder)
    assert done.code == 0, done.err
    assert len(desk.repo.published) == 1
    assert list(desk.repo.tags.values()) == [desk.repo.head]


def test_of_two_racing_pushes_each_wins_or_says_so(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    other = shutil.copytree(run_folder, tmp_path / "other")
    (other / "audit" / "more.html").write_text("more")
    racers = [desk.start_push(run_folder), desk.start_push(other)]
    codes = [racer.wait(120) for racer in racers]
    assert set(codes) <= {0, 75}
    assert len(desk.repo.published) == codes.count(0) >= 1


def test_a_push_that_was_overtaken_publishes_nothing(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    """Somebody else commits while the files go up: the parent is no longer the head."""

    async def overtake(request: web.Request) -> None:
        if COMMIT in request.path:
            desk.hub.faults.clear()
            desk.repo.commits.append(("f" * 40, dict(desk.repo.commits[-1][1]), "theirs"))

    desk.hub.faults.append(overtake)
    failed = desk.push(run_folder)
    assert failed.code == 75
    assert "changed by someone else meanwhile (412)" in failed.err
    assert desk.repo.published == ["theirs"]


def test_a_push_that_was_killed_half_way_ends_in_one_commit(run_folder: Path, desk: Desk) -> None:
    reached: list[str] = []

    async def stall(request: web.Request) -> None:
        if COMMIT in request.path and not reached:
            reached.append(request.path)
            await asyncio.sleep(30)

    desk.hub.faults.append(stall)
    process = desk.start_push(run_folder)
    deadline = time.monotonic() + 100
    while not reached and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait(10)
    assert reached
    assert not desk.repo.published
    desk.hub.faults.clear()
    done = desk.push(run_folder)
    assert done.code == 0, done.err
    assert len(desk.repo.published) == 1


def test_what_comes_back_different_is_said(run_folder: Path, desk: Desk) -> None:
    desk.hub.large.clear()

    async def spoil(request: web.Request) -> web.Response | None:
        if request.method != "PUT" or LARGE not in request.path:
            return None
        await request.read()
        desk.hub.large[request.path.rpartition("/")[2]] = b"something else"
        return web.Response()

    desk.hub.faults.append(spoil)
    done = desk.push(run_folder)
    desk.hub.large.clear()
    assert done.code == 3
    assert "read back it differs" in done.err


def test_without_a_token_nothing_is_asked(run_folder: Path, desk: Desk) -> None:
    failed = desk.push(run_folder, token=None)
    assert failed.code == 4
    assert "There is no token" in failed.err
    assert desk.hub.log == []


def test_a_failing_gate_stops_the_push_unless_forced_and_then_the_card_says_so(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    leaky = shutil.copytree(run_folder, tmp_path / "leaky")
    path = leaky / "audit" / "audit.json"
    audit = json.loads(path.read_text())
    audit["overall"]["gates"][0] |= {"status": "fail", "value": 0.91}
    path.write_text(json.dumps(audit))
    refused = desk.push(leaky)
    assert refused.code == 2
    assert "0.910" in refused.err
    assert desk.hub.log == []
    forced = desk.push(leaky, "--force-gates")
    assert forced.code == 0, forced.err
    card = desk.repo.commits[-1][1]["README.md"].data.decode()
    assert card.startswith("---\n")
    assert "\n\n> **Published although 1 release gate does not hold**" in card
    assert ": 0.910, limit 0.45 to 0.55\n\n" in card


def test_words_of_ones_own_on_the_card_are_kept_under_a_notice(
    run_folder: Path, desk: Desk, tmp_path: Path
) -> None:
    own = shutil.copytree(run_folder, tmp_path / "own")
    card, path = own / "README.md", own / "audit" / "audit.json"
    front = card.read_text("utf-8").partition("\n---\n")[0]
    card.write_text(f"{front}\n---\n# Ours\n\nWrite to the ward.\n", encoding="utf-8")
    audit = json.loads(path.read_text())
    audit["overall"]["gates"][0] |= {"status": "fail", "value": 0.91}
    path.write_text(json.dumps(audit))
    assert desk.push(own, "--force-gates").code == 0
    published = desk.repo.commits[-1][1]["README.md"].data.decode()
    assert published.startswith(f"{front}\n---\n\n> **Published although 1 release gate")
    assert published.endswith("\n# Ours\n\nWrite to the ward.\n")


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (b"# Ours\n", "does not start with YAML"),
        (b"---\nlicense: mit\n# Ours\n", "does not start with YAML"),
        (b"---\njust words\n---\n", "does not start with YAML"),
        (b"---\nlicense: [mit\n---\n# Ours\n", "its metadata are no YAML"),
        ("---\ntitle: caf\xe9\n---\n".encode("latin-1"), "is not UTF-8 text"),
    ],
)
def test_a_card_that_has_lost_its_metadata_is_not_published(
    run_folder: Path, desk: Desk, tmp_path: Path, card: bytes, told: str
) -> None:
    own = shutil.copytree(run_folder, tmp_path / "own")
    (own / "README.md").write_bytes(card)
    refused = desk.push(own)
    assert refused.code == 2
    assert told in refused.err
    assert desk.hub.log == []


def test_a_tag_keeps_its_meaning(run_folder: Path, desk: Desk, tmp_path: Path) -> None:
    desk.push(run_folder, "--tag", "v1")
    other = shutil.copytree(run_folder, tmp_path / "other")
    (other / "audit" / "more.html").write_text("more")
    failed = desk.push(other, "--tag", "v1")
    assert failed.code == 2
    assert "v1" in failed.err
    assert len(desk.repo.published) == 1
