"""Work shared out over processes: the same in any number of them, and nobody is left behind."""

import os
import subprocess
import sys
from functools import partial

import pytest
from generate_world import ask, source
from test_generate_units_select import statement

from halubench import content
from halubench.errors import IncompleteError, InputError
from halubench.generate import generate
from halubench.generate.propose import Pool, RuleProposer
from halubench.generate.workers import CHUNK, spread
from halubench.perturb import definitions


def test_processes_give_the_same_candidates_and_share_the_items():
    statements = [statement(n % 40, f"s{n // 40}") for n in range(CHUNK + 20)]
    pools = [Pool(), Pool()]
    for pool, workers in zip(pools, (1, 2), strict=True):
        RuleProposer(pool, statements, 0, lambda _: None, workers)
    alone, shared = pools
    assert list(shared.candidates) == list(alone.candidates)
    assert shared.reasons == alone.reasons
    assert shared.passed == alone.passed
    assert shared.passed


def test_any_number_of_processes_makes_the_same_bytes(tmp_path):
    path = source(tmp_path, CHUNK + 5)
    made = [ask(tmp_path, path, out=tmp_path / str(n), accept=20, workers=n) for n in (1, 2)]
    hashes = {(generate(one).pairs, (one.out / "manifest.json").read_bytes()) for one in made}
    assert len(hashes) == 1


def test_a_worker_finds_the_content_that_was_named(tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "perturbations"
    folder.mkdir(parents=True)
    shipped = content.find("perturbations/number-swap.yaml").read_text("utf-8")
    (folder / "my-swap.yaml").write_text(shipped.replace("name: number-swap", "name: my-swap"))
    monkeypatch.setattr(content, "_extra", [folder.parent])
    found = spread(definitions.find, ["my-swap", *["no-such"] * CHUNK], 2)
    assert [one and one.name for one in found] == ["my-swap", *[None] * CHUNK]


def test_an_error_in_a_worker_is_told_as_here():
    with pytest.raises(ValueError, match="invalid literal"):
        list(spread(partial(int, base=10), ["x"] * (CHUNK + 1), 2))


def test_a_worker_that_is_ended_from_outside_is_one_sentence():
    with pytest.raises(IncompleteError, match="One of 2 worker processes"):
        list(spread(os._exit, [9] * (CHUNK + 1), 2))


def test_little_is_handed_out_before_it_is_asked_for():
    class Asked(list):
        furthest = 0

        def __getitem__(self, part):
            self.furthest = max(self.furthest, part.stop)
            return super().__getitem__(part)

    items = Asked(range(20 * CHUNK))
    made = spread(str, items, 2)
    assert next(made) == "0"
    assert items.furthest <= 5 * CHUNK
    made.close()


def test_no_worker_is_no_number_of_them(tmp_path):
    with pytest.raises(InputError, match="--workers 0"):
        ask(tmp_path, "s.jsonl", workers=0).check()


def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\n"
        "from halubench.generate.workers import CHUNK, spread\n"
        "def work(n):\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    list(spread(work, range(CHUNK + 1), 2))\n"
    )
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert len({parent.stdout.readline() for _ in range(2)}) == 2
    parent.kill()
    parent.communicate(timeout=120)  # The pipe ends with the last process that holds it.
