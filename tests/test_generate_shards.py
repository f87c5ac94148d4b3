"""Parts of one job, merged: the bytes that one machine would have made, whatever the parts."""

import json
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from generate_world import ask, source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import ScriptedServer
from strong_server import Strong

from halubench import sources
from halubench.errors import InputError
from halubench.generate import Rest, generate, merge, work
from halubench.models.base import EngineOptions

REST = Rest(EngineOptions(30.0, 4, 1.0, 2.0))
WRITTEN = ("data/*.parquet", "provenance/*.parquet", "README.md", "manifest.json", "*.jsonl")


def hashes(out):
    found = (path for pattern in WRITTEN for path in out.glob(pattern))
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in found}


def parts_of(whole, number):
    return [
        replace(whole, shard=(part, number), out=whole.out.parent / f"part-{part}")
        for part in range(1, number + 1)
    ]


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory() as folder:
        path = source(Path(folder), 40)
        items = sources.read(str(path), sources.SourceOptions()).items
        with ScriptedServer(Strong(items, slips=0.3, dissent=0.2)) as server:
            yield path, server


def asked(world, out, **change):
    path, server = world
    jury = (f"openai:one@{server.url}", f"openai:two@{server.url}")
    return ask(out, path, model=f"openai:pen@{server.url}", jury=jury, **change)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(2, 5), st.one_of(st.none(), st.integers(4, 12)))
def test_merged_parts_are_the_whole_byte_for_byte(world, number, accept):
    with tempfile.TemporaryDirectory() as folder:
        whole = asked(world, Path(folder), accept=accept)
        shards = parts_of(whole, number)
        worked = [work(shard) for shard in shards]
        assert not any(one.unanswered for one in worked)
        before = len(world[1].seen)
        merged = merge([shard.out for shard in shards], whole.out.parent / "merged", REST)
        extra = len(world[1].seen) - before
        assert extra == 0 if accept is None else extra <= merged.ledger.rows()
        generate(whole)
        assert hashes(whole.out) == hashes(merged.out)
        assert merged.pairs > 0


def test_what_is_no_set_of_parts_is_refused_by_name(world, tmp_path):
    shards = parts_of(asked(world, tmp_path, accept=2), 2)
    one, other = (shard.out for shard in shards)
    work(shards[0])
    with pytest.raises(InputError, match="parts 2/2 are not"):
        merge([one], tmp_path / "merged", REST)
    with pytest.raises(InputError, match="no finished part"):
        merge([one, other], tmp_path / "merged", REST)
    with pytest.raises(InputError, match="same part"):
        merge([one, one], tmp_path / "merged", REST)
    work(replace(shards[1], seed=7))
    with pytest.raises(InputError, match="different jobs"):
        merge([one, other], tmp_path / "merged", REST)


def test_a_merge_that_may_spend_nothing_and_lacks_nothing_spends_nothing(world, tmp_path):
    shards = parts_of(asked(world, tmp_path), 2)
    for shard in shards:
        work(shard)
    before = len(world[1].seen)
    out = merge([one.out for one in shards], tmp_path / "merged", REST).out
    assert len(world[1].seen) == before
    assert json.loads((out / "manifest.json").read_text("utf-8"))["cost"]["calls"] > 0


def test_rules_have_nothing_to_share_out(tmp_path):
    with pytest.raises(InputError, match="rules ask none"):
        work(ask(tmp_path, source(tmp_path, 3), shard=(1, 2)))
