"""``halubench evaluate``: one sentence and the right exit code for every fault; honest tables."""

import json
import sys
from pathlib import Path

import pytest
from scripted_server import ScriptedServer, chat, dead_url, error

from halubench.cli import main
from halubench.evaluate import slug

GOOD = chat('{"REASONING": [], "SCORE": "PASS"}')


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"{number}{label}",
            "context": f"Passage {number} " + " ".join(f"w{number}x{i}" for i in range(8)),
            "question": "Who?",
            "answer": f"{label} it is, on {number}.",
            "label": label,
            "source_ds": "ours",
        }
        for number in range(4)
        for label in ("PASS", "FAIL")
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def command(data, tmp_path, monkeypatch, capsys):
    """Run the command with further arguments; gives (exit code, stdout, stderr)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        fixed = ["evaluate", "--data", str(data), "--map", "passage=context", "--retries", "1"]
        monkeypatch.setattr(
            sys, "argv", ["halubench", *fixed, "--out", str(tmp_path / "out"), *arguments]
        )
        with pytest.raises(SystemExit) as exit_:
            main()
        shown = capsys.readouterr()
        return int(exit_.value.code or 0), shown.out, shown.err

    return run


def test_a_judge_that_fails_keeps_no_other_from_its_turn(command, tmp_path) -> None:
    dead = f"openai:m@{dead_url()}"
    code, out, err = command("--model", dead, "--model", "baseline:length")
    assert code == 4
    assert "does not answer" in err
    assert "1 of 2 judges could not be scored" in err
    assert "all rows" in out
    assert (tmp_path / "out/baseline-length/results.json").is_file()


def test_rows_without_an_answer_are_told_beside_a_judge_that_fails(command) -> None:
    def some(seen):
        return error(400, "too long") if "on 2." in seen.prompt else GOOD

    with ScriptedServer(some) as server:
        judges = ("--model", f"openai:m@{dead_url()}", "--model", f"openai:n@{server.url}")
        code, _, err = command(*judges)
    told = " ".join(err.split())
    assert code == 75
    assert "1 of 2 judges could not be scored" in told
    assert "2 of 8 rows got no answer from the endpoint" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--samples", "3"], "--samples is of --mode vote; this is --mode reason"),
        (["--mode", "direct", "--temperature", "0.5"], "--temperature is of --mode vote"),
        (["--rephraser", "openai:m"], "--rephraser is of --variants"),
        (["--price-in", "1"], "One price alone"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(command, options, said) -> None:
    code, _, err = command("--model", "baseline:length", *options)
    assert code == 2
    assert said in err


def test_a_policy_for_long_rows_needs_a_context(command) -> None:
    with ScriptedServer(lambda _: GOOD) as server:
        code, _, err = command("--model", f"openai:m@{server.url}", "--overflow", "window")
    assert code == 2
    assert "Nobody tells how many tokens" in err


def test_the_table_has_every_figure_and_says_what_is_next(command, tmp_path) -> None:
    code, out, err = command("--model", "baseline:length", "--model", "baseline:majority")
    assert code == 0
    for word in ("ours", "mean of sources", "all rows", "of the scored", "majority", "length"):
        assert word in out
    assert out.count("not shown to be better than always giving the majority label") == 2
    assert "Next: halubench leaderboard build" in err
    assert (tmp_path / "out/baseline-length/results.json").is_file()
    assert (tmp_path / "out/baseline-majority/results.json").is_file()


def test_unreadable_answers_are_shown_and_do_not_fail_the_job(command) -> None:
    def script(seen):
        return chat("Hm.") if "PASS it is, on 2." in seen.prompt else GOOD

    with ScriptedServer(script) as server:
        code, out, _ = command("--model", f"openai:any@{server.url}")
    assert code == 0
    assert "1 of 8 rows unscored: 1 × no SCORE in the answer." in out
    assert "37.50" in out  # 3 right of all 8 rows
    assert "42.86" in out  # 3 right of the 7 scored


def test_rows_without_an_answer_make_the_job_incomplete_until_it_is_run_again(command) -> None:
    broken = True

    def script(seen):
        return error(500) if broken and "on 2." in seen.prompt else GOOD

    with ScriptedServer(script) as server:
        uri = f"openai:any@{server.url}"
        code, out, err = command("--model", uri)
        assert code == 75
        assert "2 of 8 rows got no answer" in err
        assert "Run the same command again" in err
        assert "all rows" in out
        broken, asked = False, len(server.seen)
        assert command("--model", uri)[0] == 0
        assert len(server.seen) - asked == 2


@pytest.mark.parametrize(
    ("reply", "word"),
    [(error(401, "bad key"), "401"), (error(404, "no such model"), "any is unknown")],
)
def test_an_endpoint_that_refuses_is_one_sentence(command, reply, word) -> None:
    with ScriptedServer(lambda seen: reply) as server:
        code, _, err = command("--model", f"openai:any@{server.url}")
    assert code == 4
    assert word in err
    assert "Traceback" not in err


def test_a_dead_endpoint_is_one_sentence(command) -> None:
    code, _, err = command("--model", f"openai:any@{dead_url()}")
    assert code == 4
    assert "does not answer" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--model", "nosuch:x"], "Known schemes"),
        (["--model", "baseline:foo"], "majority, length"),
        (["--model", "recorded:gone.csv"], "gone.csv"),
        (["--model", "baseline:length", "--map", "passage"], "--map"),
        (["--model", "baseline:length", "--map", "passage=nowhere"], "nowhere"),
        (["--model", "baseline:length", "--content", "/nonexistent"], "--content"),
        (["--model", "openai:any@http://127.0.0.1:9/v1", "--prompt", "nope"], "lynx"),
    ],
)
def test_what_cannot_be_used_as_given_is_one_sentence(command, arguments, word) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert word in err
    assert "Traceback" not in err


def test_a_cost_ceiling_stops_and_the_answers_are_kept(command) -> None:
    prices = ("--price-in", "1000", "--price-out", "1000", "--window", "1")
    dear = chat('{"SCORE": "PASS"}', tokens=(1000, 500))  # 1.5 dollars
    with ScriptedServer(lambda seen: dear) as server:
        uri = f"openai:any@{server.url}"
        code, _, err = command("--model", uri, "--max-usd", "5", *prices)
        assert code == 75, err
        paid = len(server.seen)
        assert 0 < paid < 8
        assert command("--model", uri, *prices)[0] == 0
        assert len(server.seen) == 8


def test_a_read_only_folder_is_one_sentence(command, tmp_path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    code, _, err = command("--model", "baseline:length")
    assert code == 3
    assert "cannot be written" in err


def test_the_limit_is_said_in_the_results(command, tmp_path) -> None:
    code, out, _ = command("--model", "baseline:majority", "--limit", "4")
    assert code == 0
    assert "Only 4 of 8 rows were judged" in out
    written = json.loads(
        (tmp_path / "out" / slug("baseline:majority") / "results.json").read_text()
    )
    assert written["data"]["rows"] == written["overall"]["n"] == 4
    assert "4 of 8" in written["warnings"][0]
