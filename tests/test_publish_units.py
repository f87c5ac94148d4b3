"""Bundles, names and differences, without any Hub."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import dataset
from halubench.errors import InputError, MissingExtraError
from halubench.publish import PushOptions, bundle_of, difference, pull, push
from halubench.publish.base import check_repo, check_tag
from halubench.publish.hub import changes, mark

OPTIONS = PushOptions()
REPO = "us/pairs"


@pytest.mark.parametrize("name", ["pairs", "a/b/c", "a b/c", "/b", "a/", "a/..", "../b", "a/b--c"])
def test_what_names_no_repository_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="NAMESPACE/NAME"):
        check_repo(name)


@pytest.mark.parametrize("tag", ["", "a b", "a..b", "-x", "v1.lock", "a/b", "x" * 80])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(InputError, match="tag"):
        check_tag(tag)


def test_git_and_sha256_name_a_content_as_the_tools_do() -> None:
    sha256, blob = mark(b"hello\n")
    assert (
        blob == "ce013625030ba8dba906f756967f9e9ca394464a"
    )  # echo hello | git hash-object --stdin
    assert sha256 == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3)),
    st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3)),
)
def test_changes_lead_from_what_stands_to_the_bundle(
    wanted: dict[str, bytes], standing: dict[str, bytes]
) -> None:
    from halubench.publish import Bundle

    bundle = Bundle("x", "dataset", "", {f"data/{k}": v for k, v in wanted.items()}, ("data",))
    there = {f"data/{k}": mark(v)[1] for k, v in standing.items()} | {"other": "0"}
    new, gone = changes(bundle, there)
    after = {k: v for k, v in there.items() if k not in gone} | {
        k: mark(v)[1] for k, v in new.items() if isinstance(v, bytes)
    }
    assert after == {k: mark(v)[1] for k, v in bundle.files.items() if isinstance(v, bytes)} | {
        "other": "0"
    }
    assert not set(new) & set(gone)


def test_rows_that_are_not_those_of_the_audit_are_refused(run_folder: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(run_folder, tmp_path / "changed")
    data = dataset.load(str(changed))
    rows = [replace(data.examples[0], question="Another one?"), *data.examples[1:]]
    dataset.write(changed, rows, data.provenance)
    with pytest.raises(InputError, match="are not those that"):
        bundle_of(changed, REPO, OPTIONS)


@pytest.mark.parametrize("name", ["README.md", "audit/audit.json"])
def test_a_folder_that_is_not_whole_is_refused(run_folder: Path, tmp_path: Path, name: str) -> None:
    cut = shutil.copytree(run_folder, tmp_path / "cut")
    (cut / name).unlink()
    with pytest.raises(InputError, match="is not whole"):
        bundle_of(cut, REPO, OPTIONS)


HOSTILE = [
    ("manifest.json", {"data": None}, "manifest.json: field data"),
    ("manifest.json", {"data": {"sha256": "x", "rows": 1, "pairs": "y"}}, "field data.pairs"),
    ("manifest.json", {"format": "halubench/manifest/99"}, "field format"),
    ("audit/audit.json", {"gates": []}, "field gates"),
    ("review/report.json", {"status": "fail"}, "report.json: field sha256"),
    (
        "review/report.json",
        {"sha256": "0", "status": "pass", "limit": 0.1, "overall": {"error": {"value": 0.0}}},
        "not those that review speaks of",
    ),
]


@pytest.mark.parametrize(("name", "change", "told"), HOSTILE)
def test_a_part_that_is_garbled_is_named_with_its_field(
    run_folder: Path, tmp_path: Path, name: str, change: dict[str, object], told: str
) -> None:
    garbled = shutil.copytree(run_folder, tmp_path / "garbled")
    path = garbled / name
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps(known | change), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        bundle_of(garbled, REPO, OPTIONS)


def test_a_benchmark_without_its_provenance_is_refused(run_folder: Path, tmp_path: Path) -> None:
    cut = shutil.copytree(run_folder, tmp_path / "cut")
    shutil.rmtree(cut / "provenance")
    with pytest.raises(InputError, match="it has no provenance/"):
        bundle_of(cut, REPO, OPTIONS)


def test_without_the_hubs_client_a_sentence_says_what_to_install(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for act in (lambda: push(run_folder, "a/b"), lambda: pull("a/b", tmp_path / "new")):
        with pytest.raises(MissingExtraError, match=r"halubench\[hub\]"):
            act()


def test_a_folder_of_no_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a finished folder"):
        bundle_of(tmp_path, REPO, OPTIONS)
    with pytest.raises(InputError, match="no folder"):
        bundle_of(tmp_path / "nowhere", REPO, OPTIONS)


def test_a_judge_is_not_published_without_its_parity_table(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps({"format": "halubench/export/1"}))
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\ncard")
    with pytest.raises(InputError, match="parity"):
        bundle_of(tmp_path, REPO, OPTIONS)
    (tmp_path / "parity.json").write_text("{}")
    assert bundle_of(tmp_path, REPO, OPTIONS).repo_type == "model"


def test_a_leaderboard_is_a_static_space(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "leaderboard.json").write_text("{}")
    bundle = bundle_of(tmp_path, REPO, OPTIONS)
    assert bundle.repo_type == "space"
    card = bundle.files["README.md"]
    assert isinstance(card, bytes)
    assert "sdk: static" in card.decode()


def test_labels_that_people_contradict_speak_against_publishing(
    run_folder: Path, tmp_path: Path
) -> None:
    from halubench.review import Decision, Ledger, open_sheet, report, write_report

    read = shutil.copytree(run_folder, tmp_path / "read")
    data = dataset.load(str(read))
    sheet = open_sheet(data, read / "review", per_source=10)
    for who in ("ana", "bo"):
        ledger = Ledger(read / "review", who)
        for name, row in sheet.examples().items():
            ledger.decide(Decision(name, "FAIL" if row.label == "PASS" else "PASS"))
        ledger.close()
    write_report(sheet, report(sheet))
    bundle = bundle_of(read, REPO, OPTIONS)
    assert bundle.failing == ("Label error (people): 1.000, limit at most 0.03",)
    card = bundle.files["README.md"]
    assert isinstance(card, bytes)
    assert "2 people read 10 rows" in card.decode()
    assert "0 labels are right, 10 wrong" in card.decode()
    assert "review/ana.jsonl" in bundle.files


def test_a_difference_counts_every_row_of_both_sides(run_folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run_folder, tmp_path / "other")
    data = dataset.load(str(other))
    first, second, *rest = data.examples
    new = replace(first, id="0" * 16)
    moved = next(row for row in rest if data.splits[row.id] == data.splits[first.id])
    origins = {
        **data.provenance,
        new.id: replace(data.provenance[first.id], id=new.id),
        moved.id: replace(data.provenance[moved.id], split="train"),
    }
    rows = [new, replace(second, answer="changed"), *rest]
    dataset.write(other, rows, origins)
    found = difference(str(run_folder), str(other))
    assert (found.added, found.removed, found.changed) == ((new.id,), (first.id,), (second.id,))
    assert found.moved == 1
    assert found.by_field == {"answer": 1}
    assert found.same + len(found.changed) + found.moved + len(found.removed) == found.rows[0]
    assert found.same + len(found.changed) + found.moved + len(found.added) == found.rows[1]
    assert not found.identical
    assert difference(str(other), str(other)).identical


def test_files_with_other_column_names_are_compared_by_them(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "passage": "p", "question": "q", "answer": f"a{n}", "label": "PASS",
             "source_ds": "own"} for n in range(3)]  # fmt: skip
    for name, told in (("old", rows), ("new", [*rows[:2], {**rows[2], "answer": "b"}])):
        named = [{"context" if key == "passage" else key: value for key, value in one.items()}
                 for one in told]  # fmt: skip
        text = "".join(json.dumps(one) + "\n" for one in named)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    old, new = (str(tmp_path / f"{name}.jsonl") for name in ("old", "new"))
    found = difference(old, new, mapping={"passage": "context"})
    assert (found.same, found.changed, dict(found.by_field)) == (2, ("2",), {"answer": 1})
