"""Fetch the page's third-party files: ``python scripts/vendor_site.py`` (needs npm).

Each package of ``PACKAGES`` is packed by npm at its pinned version; the files named here go to
``leaderboard/site/vendor/`` with their licence, and ``vendor.json`` says what each is: package,
version, licence, npm's integrity of the package and the file's sha256. Building a page checks the
sha256 of every file against it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "leaderboard" / "site" / "vendor"
PACKAGES = {
    "d3@7.9.2": {"dist/d3.min.js": "d3.min.js"},
    "@observablehq/plot@0.6.17": {"dist/plot.umd.min.js": "plot.umd.min.js"},
    "htm@3.1.1": {"preact/standalone.umd.js": "htm-preact.umd.js"},
    "preact@11.2.0": {},  # The file of htm holds preact; this brings its licence.
    "@fontsource-variable/inter@5.3.0": {"files/inter-latin-wght-normal.woff2": "inter.woff2"},
    "@fontsource-variable/newsreader@5.3.0": {
        "files/newsreader-latin-wght-normal.woff2": "newsreader.woff2"
    },
}


def fetch(spec: str, wanted: dict[str, str], folder: Path) -> list[dict[str, str]]:
    """Pack one package, check it against npm's integrity, copy its files; their entries."""
    told = subprocess.run(  # noqa: S603  (pinned names of our own)
        ["npm", "pack", "--json", "--pack-destination", str(folder), spec],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    answer = json.loads(told.stdout)
    (about,) = answer if isinstance(answer, list) else answer.values()
    packed = folder / about["filename"].removeprefix("@").replace("/", "-")
    algorithm, _, expected = about["integrity"].partition("-")
    digest = hashlib.new(algorithm, packed.read_bytes()).digest()
    if base64.b64encode(digest).decode() != expected:
        raise SystemExit(f"{spec}: the packed file is not what npm says it is.")
    name = (
        spec[1:].partition("@")[0].replace("/", "-")
        if spec[0] == "@"
        else spec.split("@", maxsplit=1)[0]
    )
    with tarfile.open(packed) as archive:
        return [
            _copy(archive, inside, outside, about)
            for inside, outside in {**wanted, "LICENSE": f"{name}.LICENSE.txt"}.items()
        ]


def _copy(archive: tarfile.TarFile, inside: str, outside: str, about: dict) -> dict[str, str]:
    member = archive.extractfile(f"package/{inside}")
    if member is None:
        raise SystemExit(f"{about['name']} has no file {inside}.")
    data = member.read()
    (VENDOR / outside).write_bytes(data)
    return {
        "file": outside,
        "package": about["name"],
        "version": about["version"],
        "integrity": about["integrity"],
        "path": inside,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for stale in VENDOR.iterdir():
        stale.unlink()
    with tempfile.TemporaryDirectory() as folder:
        entries = [
            entry
            for spec, wanted in PACKAGES.items()
            for entry in fetch(spec, wanted, Path(folder))
        ]
    (VENDOR / "vendor.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
