"""What reviewers found: every count adds up; kappas are scikit-learn's; revisions keep reasons."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_world import SOURCES, sheet
from sklearn.metrics import cohen_kappa_score

from halubench import dataset
from halubench.errors import InputError, OutputError
from halubench.review import Decision, Ledger, apply, report, write_report
from halubench.review.ledger import OPINIONS
from halubench.review.report import majority

OPINION = st.sampled_from([*OPINIONS, ""])


def say(folder: Path, who: str, opinions: dict[str, str]) -> None:
    ledger = Ledger(folder / "review", who)
    for name, opinion in opinions.items():
        if opinion:
            ledger.decide(Decision(name, opinion, note=f"{who} on {name}"))  # type: ignore[arg-type]
    ledger.close()


@given(st.lists(st.tuples(OPINION, OPINION, OPINION), min_size=8, max_size=8))
@settings(max_examples=40)
def test_counts_add_up_and_kappas_are_scikit_learns(tmp_path_factory, opinions) -> None:
    folder = tmp_path_factory.mktemp("report")
    drawn = sheet(folder)
    said = {
        who: {name: each[n] for name, each in zip(drawn.ids, opinions, strict=True)}
        for n, who in enumerate(("ana", "bo", "cy"))
    }
    for who, each in said.items():
        say(folder, who, each)
    if not any(filter(None, (o for each in said.values() for o in each.values()))):
        with pytest.raises(InputError, match="Nobody has reviewed"):
            report(drawn)
        return
    found = report(drawn)
    for one in found.reviewers:
        assert one.agree + one.differ + one.unclear == one.read <= one.rows == 8
    for part in (found.overall, *found.sources):
        assert part.right + part.wrong + part.open == part.read
    assert sum(part.read for part in found.sources) == found.read == found.overall.read
    for pair in found.between:
        both = [n for n in drawn.ids if said[pair.one][n] and said[pair.other][n]]
        left, right = ([said[who][n] for n in both] for who in (pair.one, pair.other))
        assert pair.rows == len(both)
        if pair.kappa is None:
            assert len({*left, *right}) < 2
        else:
            assert pair.kappa == pytest.approx(cohen_kappa_score(left, right), abs=1e-12)


def test_a_row_is_wrong_where_most_reviewers_say_so(tmp_path: Path) -> None:
    drawn = sheet(tmp_path)
    labels = {name: row.label for name, row in drawn.examples().items()}
    against = dict(labels)
    wrong, split = drawn.ids[0], drawn.ids[1]
    against[wrong] = "FAIL" if labels[wrong] == "PASS" else "PASS"
    other = {**against, split: "unclear"}
    say(tmp_path, "ana", against)
    say(tmp_path, "bo", other)
    found = report(drawn)
    assert (found.overall.right, found.overall.wrong, found.overall.open) == (6, 1, 1)
    assert found.overall.error.value == 1 / 7
    assert found.status == "undecided"
    told = {one.id: one for one in found.disputes}
    assert set(told) == {wrong, split}
    assert told[wrong].verdict == against[wrong]
    assert told[split].verdict == "open"
    assert told[wrong].notes == {"ana": f"ana on {wrong}", "bo": f"bo on {wrong}"}


def test_the_gate_holds_only_where_enough_rows_show_it() -> None:
    from halubench.metrics.agreement import share
    from halubench.review.report import _status

    assert _status(share(0, 50)) == "undecided"
    assert _status(share(0, 130)) == "pass"
    assert _status(share(20, 100)) == "fail"


def test_prevalence_weights_rows_by_what_they_stand_for(tmp_path: Path) -> None:
    """By hand: per stratum p, n and N; Cochran 1977, 5.3."""
    drawn = sheet(tmp_path)
    rows = drawn.examples()
    opinions = {name: row.label for name, row in rows.items()}
    first = next(n for n in drawn.ids if rows[n].source_ds == "alpha" and rows[n].label == "PASS")
    opinions[first] = "FAIL"
    say(tmp_path, "ana", opinions)
    found = report(drawn).prevalence
    whole = 2 * sum(SOURCES.values())
    value = (SOURCES["alpha"] * 0.5 + SOURCES["alpha"] + SOURCES["beta"]) / whole
    variance = (SOURCES["alpha"] / whole) ** 2 * (1 - 2 / SOURCES["alpha"]) * 0.25 / 1
    assert found.value == pytest.approx(value)
    assert found.high == pytest.approx(value + 1.959963984540054 * math.sqrt(variance))


@pytest.mark.parametrize(
    ("opinions", "said"),
    [
        ([], ""),
        (["PASS"], "PASS"),
        (["PASS", "FAIL"], "open"),
        (["PASS", "FAIL", "FAIL"], "FAIL"),
        (["unclear", "unclear", "FAIL"], "unclear"),
        (["PASS", "FAIL", "unclear"], "open"),
    ],
)
def test_a_majority_is_more_than_half(opinions: list[str], said: str) -> None:
    assert majority(opinions) == said


def _contradicted(tmp_path: Path):
    drawn = sheet(tmp_path)
    rows = drawn.examples()
    wrong = drawn.ids[0]
    opinions = {name: row.label for name, row in rows.items()}
    opinions[wrong] = "FAIL" if rows[wrong].label == "PASS" else "PASS"
    say(tmp_path, "ana", opinions)
    return drawn, wrong, opinions[wrong]


def test_dropping_takes_the_twin_along_and_keeps_the_reason(tmp_path: Path) -> None:
    drawn, wrong, _ = _contradicted(tmp_path / "data")
    done = apply(drawn, report(drawn), tmp_path / "v2", "drop")
    assert (done.kept, done.dropped, done.pairs_dropped) == (done.rows - 2, 2, 1)
    after = dataset.load(str(tmp_path / "v2"))
    pair = drawn.data.provenance[wrong].pair_id
    assert pair not in {origin.pair_id for origin in after.provenance.values()}
    (change,) = json.loads((tmp_path / "v2" / "revision.json").read_text())["changes"]
    assert (change["id"], change["reason"]) == (wrong, f"ana on {wrong}")
    audit = json.loads((tmp_path / "v2" / "audit" / "audit.json").read_text())
    assert audit["sha256"] == after.sha256


def test_relabelling_changes_that_label_only(tmp_path: Path) -> None:
    drawn, wrong, label = _contradicted(tmp_path / "data")
    done = apply(drawn, report(drawn), tmp_path / "v2", "relabel")
    assert (done.kept, done.dropped, done.relabelled) == (done.rows, 0, 1)
    after = {row.id: row.label for row in dataset.load(str(tmp_path / "v2")).examples}
    before = {row.id: row.label for row in drawn.data.examples}
    assert after == {**before, wrong: label}


def test_there_is_nothing_to_apply_where_people_agree(tmp_path: Path) -> None:
    drawn = sheet(tmp_path / "data")
    say(tmp_path / "data", "ana", {name: row.label for name, row in drawn.examples().items()})
    with pytest.raises(InputError, match="No label is contradicted"):
        apply(drawn, report(drawn), tmp_path / "v2", "drop")


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    drawn, _, _ = _contradicted(tmp_path / "data")
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "mine").write_text("x")
    with pytest.raises(OutputError, match="is not empty"):
        apply(drawn, report(drawn), tmp_path / "v2", "drop")
    assert write_report(drawn, report(drawn)).name == "report.json"
