"""What of a judge is hidden, and which reported tables are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from leaderboard_world import judged

from halubench import content
from halubench.errors import InputError
from halubench.rank import load_reported, read_results
from halubench.rank.read import hide

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "name", "told"),
    [
        ("plain text", "note", "plain text"),
        ("anything", "api_key", "[hidden]"),
        ("anything", "X-Authorization", "[hidden]"),
        ("anything", "set-cookie", "[hidden]"),
        ("anything", "PASSWORD", "[hidden]"),
        ("12", "prompt_tokens", "12"),
        ("12", "max_completion_tokens", "12"),
        ("12", "access_tokens", "[hidden]"),
        ("https://me:pw@host/v1", "uri", "https://host/v1"),
        ("openai:m@https://host/v1", "uri", "openai:m@https://host/v1"),
        ("a sk-abcdefghijkl b", "note", "a [hidden] b"),
        ("hf_abcdefghijklmnop", "note", "[hidden]"),
        ("risk-abcdefghijklm", "note", "risk-abcdefghijklm"),
        ("sk-short", "note", "sk-short"),
        ("Bearer abc.def", "note", "Bearer [hidden]"),
        ("https://h/?api_key=abc&n=2", "uri", "https://h/?api_key=[hidden]&n=2"),
        (7, "api_key", 7),
        (None, "token", None),
        (["a", "token=b"], "args", ["a", "token=[hidden]"]),
        (["a", "b"], "tokens", ["[hidden]", "[hidden]"]),
        ({"deep": {"secret": "s", "n": 1}}, "", {"deep": {"secret": "[hidden]", "n": 1}}),
    ],
)
def test_what_looks_like_a_credential_is_hidden_and_nothing_else(
    value: object, name: str, told: object
) -> None:
    assert hide(value, name) == told
    assert hide(told, name) == told


@pytest.mark.parametrize("table", load_reported(), ids=lambda table: table.name)
def test_every_reported_figure_is_a_percentage_with_its_source(table) -> None:
    assert table.url.startswith("https://")
    assert table.caveat
    for row in table.rows:
        assert 0 < row.overall <= 100
        assert all(0 <= score <= 100 for score in row.scores.values())
        assert set(row.scores) in (set(), set(table.sources))
        if row.scores:
            mean = sum(row.scores.values()) / len(row.scores)
            assert abs(mean - row.overall) < 0.0501 or f"{mean:.1f}" in row.caveat.replace(
                f"{mean:.2f}", f"{mean:.1f}"
            )
    assert len({row.judge for row in table.rows}) == len(table.rows)


REPORTED: dict[str, object] = {
    "format": "halubench/reported/1",
    "title": "T",
    "benchmark": "B",
    "source": "S",
    "url": "https://example.org",
    "read": "whole",
    "metric": "accuracy",
    "overall_is": "a mean",
    "positive_class": "none",
    "sources": ["a", "b"],
    "rows": [{"judge": "j", "overall": 50.0, "scores": {"a": 40.0, "b": 60.0}}],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "halubench/reported/2"}, "format: "),
        ({"url": "ftp://example.org"}, "url: "),
        ({"title": None}, "title: "),
        ({"rows": [{"judge": "j", "overall": 100.1}]}, "rows.0.overall: "),
        ({"rows": [{"judge": "j", "overall": -0.1}]}, "rows.0.overall: "),
        ({"rows": [{"overall": 50}]}, "rows.0.judge: "),
        ({"rows": [{"judge": "j", "overall": 50, "score": 1}]}, "rows.0.score: "),
        ({"rows": [{"judge": "j", "overall": 50, "scores": {"a": 1}}]}, "'j' and `sources` differ in b."),
        ({"rows": [{"judge": "j", "overall": 50, "scores": {"a": 1, "c": 1}}]}, "differ in b, c."),
        ({"sources": []}, "differ in a, b."),
        ({"extra": 1}, "extra: "),
    ],
)  # fmt: skip
def test_a_reported_table_that_cannot_be_used_is_named_with_its_key(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    folder = tmp_path / "leaderboard" / "reported"
    folder.mkdir(parents=True)
    content.add_folder(tmp_path)
    (folder / "mine.yaml").write_text(yaml.safe_dump(REPORTED), encoding="utf-8")
    (table,) = load_reported("mine")
    assert (table.name, table.rows[0].scores) == ("mine", {"a": 40.0, "b": 60.0})
    (folder / "mine.yaml").write_text(yaml.safe_dump({**REPORTED, **change}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_reported("mine")
    assert caught.value.what.startswith(f"{folder / 'mine.yaml'}: ")
    assert said in caught.value.what


def test_an_unknown_reported_table_is_told_the_known_ones() -> None:
    with pytest.raises(InputError, match="root-judge-card"):
        load_reported("nobodys")


def test_results_come_back_as_written_from_any_depth(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name / "deep"
        folder.mkdir(parents=True)
        (folder / "results.json").write_text(judged(name).model_dump_json(), encoding="utf-8")
    assert read_results([tmp_path]) == [judged("a"), judged("b")]
    assert read_results([tmp_path / "b" / "deep" / "results.json"]) == [judged("b")]
