"""What a model proposes and a jury says: requests, refusals, ballots and agreement."""

import json

import pytest
from generate_world import row

from halubench.errors import InputError
from halubench.perturb import prompted, rules
from halubench.perturb.base import Site, Statement
from halubench.perturb.definitions import load_all
from halubench.prompt import load_prompt
from halubench.records import LABELS, Item, Unscored, parse_verdict
from halubench.verify.ballot import Ballot, fleiss_kappa
from halubench.verify.jury import check_jury

KNOWN = load_all()
UNREAD = Unscored("no verdict")
AUTHOR = prompted.Author("m", "h")
VERDICTS = ("PASS", "FAIL", UNREAD)


def statement(number, source_ds="s"):
    made = row(number)
    cars = made["answer"]
    text = f"The number of cars that the ferry carries is {cars}."
    item = Item(
        source_ds,
        f"{source_ds}{number}",
        "general",
        made["passage"],
        made["question"],
        cars,
        (cars,),
    )
    return Statement(item, text, text.index(cars), text.index(cars) + len(cars))


STATEMENT = statement(3)
PASSAGE = STATEMENT.item.passage


def task(name="number-swap", of=STATEMENT):
    return prompted.Task(of, KNOWN[name], prompted.legal(of, KNOWN.values())[name])


def answer(**change):
    said = {
        "old": "29",
        "new_fail": "122",
        "new_pass": "29",
        "evidence": "29 cars",
        "change_made": "x",
    }
    return json.dumps({**said, **change})


def site(text, kind):
    return Site(0, len(text), text, kind)


@pytest.mark.parametrize("field", ["old", "new_fail", "new_pass", "evidence", "change_made"])
@pytest.mark.parametrize("value", [None, 7, [], {}, True])
def test_a_field_of_another_type_is_named(field, value):
    said = prompted.apply(task(), answer(**{field: value}), AUTHOR)
    assert said == f"model: answer has no usable {field}"


@pytest.mark.parametrize("field", ["old", "new_fail", "new_pass", "evidence", "change_made"])
def test_a_missing_field_is_named(field):
    said = json.loads(answer())
    del said[field]
    found = prompted.apply(task(), json.dumps(said), AUTHOR)
    assert found == f"model: answer has no usable {field}"


@pytest.mark.parametrize(
    ("text", "kind", "new", "fault"),
    [
        ("29", "number", "29", "changes nothing"),
        ("29", "number", "30", None),
        ("29", "number", "29.0", "keeps the value"),
        ("29", "number", "twenty-nine", "keeps the value"),
        ("29", "number", "$30", "not one number"),
        ("29", "number", "many", "not one number"),
        ("29", "number", "30 or 31", "not one number"),
        ("29", "number", "", "not one number"),
        ("29%", "percent", "30%", None),
        ("29%", "percent", "30", "not one percent"),
        ("29%", "percent", "29 percent", "keeps the value"),
        ("$92 million", "money", "$81 million", None),
        ("$92 million", "money", "€81 million", "unit or magnitude"),
        ("$92 million", "money", "$81", "unit or magnitude"),
        ("2019", "year", "2018", None),
        ("2019", "year", "12 June 2018", "not one year"),
        ("Anna Berg", "name", "Carl Lund", None),
        ("Anna Berg", "name", "Anna", "may mean the same"),
        ("Anna Berg", "name", "Anna Berg Lund", "may mean the same"),
        ("Anna Berg", "name", "anna berg", "may mean the same"),
        ("Anna Berg", "name", "", "may mean the same"),
    ],
)
def test_why_an_edit_may_not_be_false(text, kind, new, fault):
    found = prompted._fault(site(text, kind), new, KNOWN["number-swap"])
    assert (found is None) if fault is None else fault in found


@pytest.mark.parametrize(
    ("text", "new", "twin"),
    [
        ("29", "29", None),
        ("29", "29.0", "29.0"),
        ("29", "30", None),
        ("29", "about 29", None),
        ("29%", "29 percent", "29 percent"),
        ("$92 million", "$92,000,000", "$92,000,000"),
        ("Anna Berg", "A. Berg", None),
    ],
)
def test_a_faithful_edit_is_made_only_where_it_says_the_same(text, new, twin):
    assert prompted._twin(site(text, "number"), new, KNOWN["number-swap"]) == twin


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        ("Berlin", "paris", "Paris"),
        ("berlin", "Paris", "Paris"),
        ("Berlin", " new\n york ", "New york"),
        ("29", "thirty", "thirty"),
        ("Berlin", "", ""),
    ],
)
def test_a_new_text_starts_with_a_capital_where_the_old_one_does(old, new, made):
    assert prompted._like(old, new) == made


@pytest.mark.parametrize(
    ("text", "part", "held"),
    [
        ("It has 29 cars.", "29", True),
        ("It has 129 cars.", "29", False),
        ("It has 29 cars.", "29 CARS", True),
        ("It has 29 cars.", "cars 29", False),
    ],
)
def test_a_part_is_held_as_whole_words(text, part, held):
    assert prompted._holds(text, part) is held


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ("the ferry of", "the ferry of"),
        ("THE  FERRY\nof", "THE FERRY of"),
        ("the ferry, of", "the ferry, of"),
        ("...", ""),
        ("the ship of", ""),
        ("", ""),
    ],
)
def test_a_quote_is_kept_only_if_it_is_one(quote, kept):
    assert prompted.quoted(quote, PASSAGE) == kept


@pytest.mark.parametrize(
    ("new", "level"), [("122", "L2"), ("30", "L1"), ("22", "L1"), ("1,000", "L1"), ("314", "L2")]
)
def test_the_level_says_whether_the_passage_states_the_wrong_value(new, level):
    made = prompted.apply(task(), answer(new_fail=new), AUTHOR)
    assert made.level == level
    assert made.fail_answer == STATEMENT.text.replace("29", new)


@pytest.mark.parametrize("sample", [0, 1, 2])
def test_each_try_is_hotter_and_has_its_own_key(sample):
    asked = prompted.Task(STATEMENT, KNOWN["number-swap"], task().sites, sample)
    made = prompted.request(asked, load_prompt("perturb", "edit"), prompted.Manner(5))
    assert made.sample == sample
    assert made.sampling.temperature == prompted.TEMPERATURES[sample]
    assert list(prompted.TEMPERATURES) == sorted(set(prompted.TEMPERATURES))


def test_no_edits_to_offer_leave_the_task_as_it_is():
    assert prompted.offer(task(), []) == task()


def test_only_edits_of_one_site_of_one_text_are_offered():
    made = [
        one
        for name in prompted.legal(STATEMENT, KNOWN.values())
        for one in rules.propose(STATEMENT, 0, {name: KNOWN[name]})
    ]
    choices = prompted.offer(task(), made).choices
    assert choices
    assert len({(one.fail_edit.start, one.base) for one in choices}) == 1
    assert len({one.fail_edit.new for one in choices}) == len(choices)


def test_a_perturbation_of_another_domain_is_never_legal():
    swap = KNOWN["number-swap"]
    assert prompted.legal(STATEMENT, [swap]).keys() == {"number-swap"}
    assert prompted.legal(STATEMENT, [swap.model_copy(update={"domains": ("finance",)})]) == {}


@pytest.mark.parametrize("passed", VERDICTS)
@pytest.mark.parametrize("failed", VERDICTS)
def test_every_ballot_of_one_juror(passed, failed):
    ballot = Ballot((("j", passed, failed),))
    expected = {
        ("PASS", "FAIL"): None,
        ("FAIL", "FAIL"): "jury: PASS answer found hallucinated",
        ("PASS", "PASS"): "jury: FAIL answer not found hallucinated",
        ("FAIL", "PASS"): "jury: disagrees with both labels",
    }
    assert ballot.refusal() == expected.get((passed, failed), "jury: a vote could not be read")
    assert ballot.hardness() == ((passed != "PASS") + (failed != "FAIL")) / 2
    told = json.loads(ballot.json())["j"]
    assert [parse_verdict(told[label]) for label in LABELS] == [passed, failed]


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([("PASS", "FAIL"), ("PASS", "FAIL")], None),
        ([("FAIL", "FAIL"), ("PASS", "PASS")], "jury: disagrees with both labels"),
        ([("PASS", "FAIL"), ("PASS", UNREAD)], "jury: a vote could not be read"),
        ([("FAIL", "PASS"), (UNREAD, "FAIL")], "jury: a vote could not be read"),
        ([("PASS", "FAIL"), ("PASS", "PASS")], "jury: FAIL answer not found hallucinated"),
    ],
)
def test_one_juror_that_errs_is_enough_to_refuse(votes, reason):
    ballot = Ballot(tuple((f"j{n}", *pair) for n, pair in enumerate(votes)))
    assert ballot.refusal() == reason


TABLE = """0 0 0 0 14
0 2 6 4 2
0 0 3 5 6
0 3 9 2 0
2 2 8 1 1
7 7 0 0 0
3 2 6 3 0
2 5 3 2 2
6 5 2 1 0
0 2 2 3 7"""
"""Ten subjects, fourteen raters, five categories: https://en.wikipedia.org/wiki/Fleiss%27_kappa"""


def ballots(rows):
    """Two rows a ballot, the votes on each as a list."""
    return [
        Ballot(tuple((f"j{n}", *pair) for n, pair in enumerate(zip(one, other, strict=True))))
        for one, other in zip(rows[::2], rows[1::2], strict=True)
    ]


def test_kappa_agrees_with_the_published_worked_example():
    counts = [[int(n) for n in line.split()] for line in TABLE.splitlines()]
    rows = [[str(c) for c, n in enumerate(line) for _ in range(n)] for line in counts]
    assert fleiss_kappa(ballots(rows)) == pytest.approx(0.210, abs=5e-4)


@pytest.mark.parametrize(
    ("rows", "kappa"),
    [
        (["PP", "FF"], 1.0),
        (["PF", "PF"], -1.0),
        (["PPP", "FFF", "PPF", "FFP"], 1 / 3),
        (["PP", "FF", "PF", "PF"], 0.0),
        (["PP", "UU"], 1.0),
        (["PP", "PU"], -1 / 3),
        (["PP", "PP"], None),
        (["P", "F"], None),
        ([], None),
    ],
    ids=str,
)
def test_kappa_by_hand(rows, kappa):
    names = {"P": "PASS", "F": "FAIL", "U": UNREAD}
    found = fleiss_kappa(ballots([[names[one] for one in line] for line in rows]))
    assert found == (None if kappa is None else pytest.approx(kappa))


def test_unread_votes_are_one_category_whatever_their_reason():
    one, other = Unscored("timeout"), Unscored("no verdict")
    rows = [["PASS", "PASS"], [one, other]]
    assert fleiss_kappa(ballots(rows)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("jury", "part"),
    [
        (["openai:writer"], "generator itself"),
        (["OpenAI:Writer"], "generator itself"),
        (["openai:a", "openai:b", "openai:a@http://127.0.0.1:1/v1"], "named twice"),
        (["baseline:length"], "cannot sit on a jury"),
        (["openai:a", "recorded:x"], "cannot sit on a jury"),
    ],
)
def test_who_may_not_sit_on_a_jury_and_why(jury, part):
    with pytest.raises(InputError, match=part) as told:
        check_jury(jury, "openai:writer@http://127.0.0.1:1/v1")
    assert "juror" in told.value.remedy or "--jury" in told.value.remedy
