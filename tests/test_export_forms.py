"""What other tools are given: the same rows, messages and scores, in their own forms."""

from __future__ import annotations

import json
import runpy
import sys
import types
from typing import TYPE_CHECKING

import pytest
import yaml
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results
from scripted_server import ScriptedServer, chat

from halubench import content
from halubench.cli import main
from halubench.dataset import load
from halubench.errors import InputError
from halubench.evaluate import EvaluateOptions, evaluate, folder_name
from halubench.export import FORMS, export
from halubench.judges.modes import ModeOptions

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    {
        "id": f"{number}{label}",
        "passage": f"Ferry {number} carries {number + 40} cars.\n\n  {{{{ x }}}} “said” so.",
        "question": "How many cars?",
        "answer": f"{number + (40 if label == 'PASS' else 70)} cars",
        "label": label,
        "source_ds": ["sea", "river"][number % 2],
    }
    for number in range(6)
    for label in ("PASS", "FAIL")
]


def _judged(folder: Path, **options: object) -> tuple[Path, list[str]]:
    """The run folder of a model that says PASS to all, and the prompts it was sent."""
    data = folder / "some rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    asked = EvaluateOptions(folder / "res", **options)
    with ScriptedServer(lambda seen: chat('{"SCORE": "PASS"}')) as server:
        uri = f"openai:any@{server.url}"
        evaluate(uri, load(str(data)), asked)
        return folder / "res" / folder_name(uri, asked), sorted(server.prompts())


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    return _judged(tmp_path_factory.mktemp("export"))


@pytest.mark.parametrize("to", ["inspect", "lm-eval"])
def test_a_task_holds_each_row_with_the_very_messages_that_were_sent(judged, tmp_path, to) -> None:
    run, prompts = judged
    export(run, to, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text().splitlines()]
    assert [(row["id"], row["label"]) for row in rows] == [(r["id"], r["label"]) for r in ROWS]
    assert sorted(row["messages"][-1]["content"] for row in rows) == prompts
    assert len({row["group"] for row in rows}) == 6
    for path in tmp_path.glob("*.py"):
        compile(path.read_text(), str(path), "exec")


def test_the_harness_s_functions_count_an_unread_answer_as_wrong(
    judged, tmp_path, monkeypatch
) -> None:
    export(judged[0], "lm-eval", tmp_path)
    monkeypatch.setitem(sys.modules, "datasets", types.ModuleType("datasets"))
    told = runpy.run_path(str(tmp_path / "halubench_some_rows.py"))
    answers = [("FAIL", '{"SCORE": "FAIL"}'), ("FAIL", "Hm."), ("PASS", "SCORE: FAIL")]
    found = [told["process_results"]({"label": label}, [text]) for label, text in answers]
    assert [each["acc"] for each in found] == [1.0, 0.0, 0.0]
    assert [each["scored"] for each in found] == [1.0, 0.0, 1.0]
    assert told["fail_f1"]([each["fail_f1"] for each in found]) == pytest.approx(2 / 4)
    text = (tmp_path / "halubench_some_rows.yaml").read_text().replace("!function ", "")
    assert yaml.safe_load(text)["generation_kwargs"]["max_gen_toks"] == 600


def test_the_hub_reads_the_scores_back(judged, tmp_path) -> None:
    export(judged[0], "model-index", tmp_path)
    block = (tmp_path / "model-index.md").read_text().strip("-\n")
    name, results = model_index_to_eval_results(yaml.safe_load(block)["model-index"])
    assert ModelCardData(model_name=name, eval_results=results).to_yaml()
    overall = {each.metric_name: each for each in results if each.dataset_name == "some rows"}
    assert overall["accuracy"].metric_value == 0.5
    assert overall["macro_accuracy"].metric_value == 0.5
    assert overall["fail_recall"].metric_value == 0.0
    assert "mcc" not in overall  # all verdicts are the same: undefined
    sources = {each.dataset_name for each in results} - {"some rows"}
    assert sources == {"some rows, sea", "some rows, river"}


def test_a_judge_without_a_prompt_has_scores_and_no_task(tmp_path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    evaluate("baseline:length", load(str(data)), EvaluateOptions(tmp_path / "res"))
    run = tmp_path / "res" / "baseline-length"
    assert export(run, "model-index", tmp_path / "index")
    with pytest.raises(InputError, match="no prompt to export"):
        export(run, "inspect", tmp_path / "task")


def test_a_word_and_its_probabilities_go_where_there_are_any(tmp_path) -> None:
    run, prompts = _judged(tmp_path, mode=ModeOptions("direct"))
    export(run, "inspect", tmp_path / "inspect")
    rows = (tmp_path / "inspect" / "data.jsonl").read_text().splitlines()
    assert sorted(json.loads(row)["messages"][-1]["content"] for row in rows) == prompts
    task = (tmp_path / "inspect" / "task.py").read_text()
    compile(task, "task.py", "exec")
    for told in ('ModeOptions("direct")', "max_tokens=4,", "top_logprobs=20,"):
        assert told in task
    with pytest.raises(InputError, match="is no model in mode reason, so there is no prompt"):
        export(run, "lm-eval", tmp_path / "lm")


def test_a_prompt_that_changed_or_that_a_form_cannot_hold_is_refused(tmp_path) -> None:
    prompt = tmp_path / "prompts" / "judge" / "mine.jinja"
    prompt.parent.mkdir(parents=True)
    prompt.write_text(
        "{# role: system #}\n{{ question }}\n{# role: user #}\n{{ passage }}{{ answer }}"
    )
    content.add_folder(tmp_path)
    run, _ = _judged(tmp_path, prompt="mine")
    assert run.name.endswith("-mine")
    export(run, "inspect", tmp_path / "inspect")
    row = json.loads((tmp_path / "inspect" / "data.jsonl").read_text().splitlines()[0])
    assert [message["role"] for message in row["messages"]] == ["system", "user"]
    assert export(run, "lm-eval", tmp_path / "lm")  # one question: the same system message
    prompt.write_text(prompt.read_text() + ".")
    with pytest.raises(InputError, match="has changed"):
        export(run, "inspect", tmp_path / "again")


@pytest.mark.parametrize("to", FORMS)
def test_the_command_names_its_files_and_what_is_next(
    judged, tmp_path, monkeypatch, capsys, to
) -> None:
    out = tmp_path / "out"
    arguments = ["export", str(judged[0]), "--to", to, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["halubench", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    told, err = capsys.readouterr()
    assert sorted(told.split()) == sorted(map(str, out.iterdir()))
    assert "Next:" in err
