"""Where content is looked for: the user's folders first, and what a wrong name is told."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from halubench import content
from halubench.errors import InputError


def put(root: Path, relative: str, text: str = "") -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped folder of two prompts, and an empty working directory."""
    root = tmp_path / "shipped"
    put(root, "prompts/judge/lynx.jinja", "shipped")
    put(root, "prompts/judge/brief.jinja", "shipped")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(content, "SHIPPED", root)
    return root


def test_the_shipped_file_is_found(shipped: Path) -> None:
    assert content.find("prompts/judge/lynx.jinja") == shipped / "prompts/judge/lynx.jinja"


def test_halubench_d_hides_shipped_and_a_given_folder_hides_both(
    shipped: Path, tmp_path: Path
) -> None:
    put(Path("halubench.d"), "prompts/judge/lynx.jinja", "local")
    assert content.find("prompts/judge/lynx.jinja").read_text() == "local"
    put(tmp_path / "given", "prompts/judge/lynx.jinja", "given")
    content.add_folder(tmp_path / "given")
    assert content.find("prompts/judge/lynx.jinja").read_text() == "given"
    assert content.find("prompts/judge/brief.jinja").read_text() == "shipped"


def test_the_folder_given_last_comes_first(shipped: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        put(tmp_path / name, "prompts/judge/lynx.jinja", name)
        content.add_folder(tmp_path / name)
    assert content.find("prompts/judge/lynx.jinja").read_text() == "second"


def test_files_are_listed_once_by_name_the_users_own_hiding_namesakes(shipped: Path) -> None:
    own = put(Path("halubench.d"), "prompts/judge/lynx.jinja")
    extra = put(Path("halubench.d"), "prompts/judge/strict.jinja")
    put(Path("halubench.d"), "prompts/judge/notes.txt")
    found = list(content.files("prompts/judge", ".jinja"))
    assert found == [shipped / "prompts/judge/brief.jinja", own, extra]


def test_an_unknown_name_lists_the_known_ones(shipped: Path) -> None:
    put(Path("halubench.d"), "prompts/judge/strict.jinja")
    with pytest.raises(InputError) as caught:
        content.find("prompts/judge/linx.jinja")
    assert "prompts/judge/linx.jinja" in caught.value.what
    assert "brief, lynx, strict" in caught.value.remedy


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        content.add_folder(tmp_path / "nowhere")


def test_a_users_module_is_found_by_its_file_name(tmp_path: Path) -> None:
    put(tmp_path, "judges/coin_flip.py", "HEADS = 1\n")
    content.add_folder(tmp_path)
    assert content.module("judges", "coin-flip").HEADS == 1
    assert "coin_flip" in content.module_names("judges")


def test_a_users_module_hides_a_shipped_one(tmp_path: Path) -> None:
    assert content.module("models", "openai").__name__ == "halubench.models.openai"
    put(tmp_path, "models/openai.py", "OWN = True\n")
    content.add_folder(tmp_path)
    assert content.module("models", "openai").OWN is True


def test_a_users_module_may_import_from_halubench_and_use_dataclasses(tmp_path: Path) -> None:
    """dataclasses look their module up in sys.modules when annotations are strings."""
    code = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from halubench.records import Row\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Own:\n"
        "    row: Row | None = None\n"
    )
    put(tmp_path, "judges/typed.py", code)
    content.add_folder(tmp_path)
    assert content.module("judges", "typed").Own().row is None


@pytest.mark.parametrize("code", ["def open_judge(:\n", "import no_such_package_anywhere\n"])
def test_a_users_broken_module_is_named(tmp_path: Path, code: str) -> None:
    path = put(tmp_path, "judges/broken.py", code)
    content.add_folder(tmp_path)
    with pytest.raises(InputError) as caught:
        content.module("judges", "broken")
    assert str(path) in caught.value.what


def test_an_installed_module_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = ModuleType("plugin_for_tests")
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    entry = EntryPoint("acme-guard", plugin.__name__, "halubench.judges")
    monkeypatch.setattr(
        content, "entry_points", lambda group: [entry] if group == entry.group else []
    )
    monkeypatch.setattr(content, "installed", content.installed.__wrapped__)
    assert content.module("judges", "acme-guard") is plugin
    assert "acme-guard" in content.module_names("judges")
    assert "acme-guard" not in content.module_names("models")


def test_an_unknown_module_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        content.module("models", "opnai")
    assert "'opnai'" in caught.value.what
    assert "openai" in caught.value.remedy


@pytest.mark.parametrize("room", ["models", "judges", "sources", "variants"])
def test_shipped_plug_ins_are_importable_and_hide_no_helper(room: str) -> None:
    names = content.shipped_modules(room)
    assert names
    assert not {"base"} & set(names)
    offers = {"models": "open_model", "judges": "open_judge", "sources": "items"}.get(room, "vary")
    for name in names:
        assert hasattr(content.module(room, name), offers), f"{room}/{name}.py lacks {offers}"
