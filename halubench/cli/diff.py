"""``halubench diff``: two revisions of a benchmark, row by row."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from halubench.cli import _console
from halubench.cli._options import named

if TYPE_CHECKING:
    from halubench.publish import Difference

_WHERE = "A folder, a file, or NAMESPACE/NAME@REVISION on the Hub."


def command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_WHERE)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=_WHERE)],
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write all ids to this file.")
    ] = None,
) -> None:
    """Compare two revisions of a benchmark row by row, joined on id."""
    from halubench.publish import difference

    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    with _console.err.status("Reading both"):
        found = difference(old, new, mapping=mapping)
    _console.out.print(f"{escape(old)}: {found.rows[0]:,} rows", soft_wrap=True)
    _console.out.print(f"{escape(new)}: {found.rows[1]:,} rows", soft_wrap=True)
    _console.out.print(
        f"{found.same:,} the same, {len(found.changed):,} changed, {found.moved:,} in another "
        f"split, {len(found.removed):,} only in the first, {len(found.added):,} only in the second."
    )
    if found.by_source:
        _console.figures(_sources(found))
    for before, after in found.examples:
        fields = (name for name in ("passage", "question", "answer", "label", "source_ds"))
        for name in fields:
            one, other = getattr(before, name), getattr(after, name)
            if one != other:
                _console.out.print(f"{escape(before.id)} {name}:", soft_wrap=True)
                _console.out.print(f"[red]- {escape(one[:200])}[/]", soft_wrap=True)
                _console.out.print(f"[green]+ {escape(other[:200])}[/]", soft_wrap=True)
    if json_file is not None:
        _write(json_file, found)


def _sources(found: Difference) -> Table:
    table = Table("source", "added", "removed", "changed")
    for source, counts in found.by_source.items():
        table.add_row(escape(source), *(f"{count:,}" for count in counts))
    return table


def _write(path: Path, found: Difference) -> None:
    from halubench.errors import OutputError
    from halubench.run import canonical

    told = {
        "old": found.old,
        "new": found.new,
        "same": found.same,
        "moved": found.moved,
        "added": found.added,
        "removed": found.removed,
        "changed": found.changed,
        "by_field": found.by_field,
        "by_source": found.by_source,
    }
    try:
        path.write_text(canonical(told) + "\n", encoding="utf-8")
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}."
        raise OutputError(what, "Give another file by --json.") from error
    _console.note(f"All ids: {escape(str(path))}")
