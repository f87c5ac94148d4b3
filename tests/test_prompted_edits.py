"""The model proposes, code applies: whatever it answers, nothing but the named span changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.perturb import prompted, rules
from halubench.perturb.base import Statement
from halubench.perturb.definitions import load_all
from halubench.prompt import load_prompt
from halubench.records import Item

PASSAGE = "The ferry carries 48 cars and 52 vans. It made 31 crossings in June 2019."
TEXT = "The number of cars that the ferry carries is 48."
ITEM = Item("s", "1", "general", PASSAGE, "How many cars does the ferry carry?", "48", ("48",))
STATEMENT = Statement(ITEM, TEXT, TEXT.index("48"), TEXT.index("48") + 2)
KNOWN = load_all()


def task(**change):
    tasks = {one.perturbation.name: one for one in prompted.tasks(STATEMENT, KNOWN)}
    return tasks["number-swap"]


def answer(**change):
    said = {
        "old": "48",
        "new_fail": "52",
        "new_pass": "48",
        "evidence": "48 cars",
        "change_made": "x",
    }
    return json.dumps({**said, **change})


def made(text, of=None):
    return prompted.apply(of or task(), text, prompted.Author("openai:any", "hash"))


def test_a_good_proposal_becomes_a_pair():
    pair = made(answer(evidence="carries 48 cars"))
    assert pair.fail_answer == TEXT.replace("48", "52")
    assert pair.pass_answer == TEXT
    assert (pair.level, pair.generator, pair.prompt_hash) == ("L2", "openai:any", "hash")
    assert pair.evidence == "carries 48 cars"


def test_a_value_that_the_passage_lacks_is_level_one():
    assert made(answer(new_fail="47")).level == "L1"


@pytest.mark.parametrize("evidence", ["it carries 48 buses", "", " ", "cars 48"])
def test_a_proposal_whose_evidence_is_no_quote_makes_no_pair(evidence):
    assert "not a quote" in made(answer(evidence=evidence))


def test_the_faithful_twin_is_edited_only_where_code_knows_that_it_says_the_same():
    assert made(answer(new_pass="forty-eight")).pass_answer in (
        TEXT,
        TEXT.replace("48", "forty-eight"),
    )
    assert made(answer(new_pass="49")).pass_answer == TEXT
    assert made(answer(new_pass="48.0")).pass_answer == TEXT.replace("48", "48.0")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("I think 52.", "not JSON"),
        ('{"old": "48", "new_', "not JSON"),
        ("[1]", "no usable"),
        ('{"old": "48"}', "no usable"),
        (answer(new_fail=7), "no usable"),
        (answer(old="49"), "no span"),
        (answer(new_fail="48"), "changes nothing"),
        (answer(new_fail="48.0"), "keeps the value"),
        (answer(new_fail="some"), "not one number"),
        (answer(new_fail="52 and 31"), "not one number"),
    ],
)
def test_what_cannot_serve_is_refused_with_its_reason(text, reason):
    assert reason in made(text)


MONEY = "The rent that the passage states for the year is $92 million."
PAID = Statement(
    Item(
        "s", "2", "finance", f"{MONEY} Last year: $81 million.", "What is the rent?", "$92 million"
    ),
    MONEY,
    MONEY.index("$"),
    len(MONEY) - 1,
)


@pytest.mark.parametrize(
    ("name", "new", "reason"),
    [
        ("amount-swap", "$81 million", None),
        ("amount-swap", "$1,187", "unit or magnitude"),
        ("amount-swap", "$81 billion", "unit or magnitude"),
        ("scale-shift", "$92 billion", None),
    ],
)
def test_the_form_of_a_value_stands_unless_it_is_what_the_perturbation_is_about(name, new, reason):
    sites = prompted.legal(PAID, KNOWN.values())[name]
    said = answer(old="$92 million", new_fail=new, new_pass="$92 million", evidence="$92 million")
    pair = made(said, prompted.Task(PAID, KNOWN[name], sites))
    assert reason in pair if reason else pair.fail_answer == MONEY.replace("$92 million", new)


def test_a_value_out_of_a_worked_example_is_refused_unless_the_passage_states_it():
    shown = KNOWN["number-swap"].examples[0]
    said = {"answer": "The quay holds 76 cars.", "fail": "The quay holds 52 cars."}
    taught = KNOWN["number-swap"].model_copy(update={"examples": (shown.model_copy(update=said),)})
    asked = prompted.Task(STATEMENT, taught, task().sites)
    assert "worked example" in made(answer(new_fail="76"), asked)
    assert made(answer(new_fail="52"), asked).level == "L2"


def test_prose_and_fences_around_the_object_do_not_matter():
    assert made(f"Sure!\n```json\n{answer()}\n```").fail_answer == TEXT.replace("48", "52")


@given(st.text(max_size=30), st.text(max_size=30))
def test_only_the_named_span_ever_changes(fail, kept):
    pair = made(answer(new_fail=fail, new_pass=kept))
    if isinstance(pair, str):
        assert pair.startswith("model: ")
        return
    for edit, text in ((pair.fail_edit, pair.fail_answer), (pair.pass_edit, pair.pass_answer)):
        if edit is None:
            assert text == TEXT
            continue
        assert text.startswith(TEXT[: edit.start])
        assert text.endswith(TEXT[edit.end :])
        assert text[edit.start : len(text) - len(TEXT) + edit.end] == edit.new


@given(st.text())
def test_no_answer_is_ever_a_crash(text):
    assert isinstance(made(text), str)


def test_a_retry_offers_edits_and_takes_no_other():
    edits = rules.propose(STATEMENT, 0, {"number-swap": KNOWN["number-swap"]})
    offered = prompted.offer(task(), edits)
    choices = [one.fail_edit.new for one in offered.choices]
    request = prompted.request(offered, load_prompt("perturb", "edit"), prompted.Manner())
    assert request.schema["properties"] == {"new_fail": {"type": "string", "enum": choices}}
    assert made(json.dumps({"new_fail": choices[0]}), offered).fail_edit.new == choices[0]
    assert "no edit that was offered" in made(json.dumps({"new_fail": "47"}), offered)


def test_a_request_tells_the_statement_and_names_only_real_spans():
    request = prompted.request(task(), load_prompt("perturb", "edit"), prompted.Manner(3))
    assert request.schema["properties"]["old"]["enum"] == ["48"]
    assert (request.sampling.temperature, request.sampling.seed) == (0.0, 3)
    told = "\n".join(text for _, text in request.messages)
    assert TEXT in told
    assert PASSAGE in told
    assert KNOWN["number-swap"].title in told


def test_perturbations_of_another_domain_or_kind_of_span_are_not_legal():
    names = set(prompted.legal(STATEMENT, KNOWN.values()))
    assert "number-swap" in names
    for name in names:
        assert "general" in KNOWN[name].domains
        kinds = set(KNOWN[name].rule.sites) if KNOWN[name].rule else set()
        assert not kinds or kinds & {"number", "answer"}
