"""Builds the documents as a site, offline: ``python scripts/build_site.py``, into ``build/site``.

The pages link to each other as they lie in the repository, so that the same links work there and
here: every Markdown page and picture is copied to its own place under ``build/site-source``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "site-source"
PAGES = (
    "*.md",
    "LICENSE",
    "docs/**/*.md",
    "docs/images/*",
    "*/README.md",
    "leaderboard/*/README.md",
)


def main() -> int:
    """Copy the pages and run Zensical, which fails on a link that leads nowhere."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for pattern in PAGES:
        for page in sorted(ROOT.glob(pattern)):
            if page.is_file():
                target = SOURCE / page.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(page, target)
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
