"""The command: what is asked for, the progress, the reject file and the totals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command("import")
    def import_contacts(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL or CSV (by its name); - is standard input")],
        map_: Annotated[
            str | None,
            typer.Option("--map", metavar="NAME|FILE", help="how rows become contacts: load, or a file like it"),
        ] = None,
        as_source: Annotated[str | None, typer.Option(metavar="NAME", help="the source of all these contacts")] = None,
        start: Annotated[
            str | None, typer.Option(metavar="TIME", help="the time that a mapping's seconds count from (RFC 3339)")
        ] = None,
        csv: Annotated[bool | None, typer.Option("--csv/--jsonl", help="instead of going by the name")] = None,
        rejects: Annotated[
            Path | None, typer.Option(metavar="FILE", help="where bad rows are told; else FILE.rejects.jsonl")
        ] = None,
        in_flight: Annotated[int, typer.Option(min=1, max=16, help="batches under way at the same time")] = 4,
        url: Annotated[str | None, typer.Option(help="where the services are")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="totals for machines")] = False,
    ) -> None:
        """Import contacts: rows as POST /v1/contacts takes them, or any columns with a mapping.

        A CSV's columns are the fields' names, with a dot inside: customer.id. Bad rows are told by number in
        FILE.rejects.jsonl and the rest goes on. It can be stopped and run again: what was taken is not taken twice
        (source and source_event_id tell). The key is COMPLAINT_LOOP_KEY, else that of a running `make run`.
        """
        import asyncio
        import json

        from services.command.import_contacts.mapping import instant, read_mapping
        from services.command.import_contacts.play import Import
        from services.command.reach import base_url, key_of

        if str(file) != "-" and not file.is_file():
            raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
        try:
            begin = instant(start) if start else None
        except ValueError:
            raise typer.BadParameter("not a time such as 2026-11-01T00:00:00Z", param_hint="--start") from None
        mapping = read_mapping(map_, as_source, begin) if map_ else None
        play = Import(
            file=file,
            is_csv=csv if csv is not None else file.suffix.lower() in (".csv", ".tsv"),
            mapping=mapping,
            source=as_source,
            rejects=rejects,
            lanes=in_flight,
            shown=not as_json,
        )
        totals, seconds = asyncio.run(play.run(base_url(url), key_of("intake")))
        if as_json:
            told = str(play.rejects) if totals.rejected else None
            typer.echo(json.dumps(vars(totals) | {"seconds": round(seconds, 2), "rejects": told}))
            return
        rate = f"{totals.rows / seconds:,.0f} a second" if seconds > 0.01 else "at once"
        typer.echo(
            f"{totals.rows:,} rows in {seconds:.1f} s ({rate}): {totals.new:,} new, {totals.duplicate:,} known before, "
            f"{totals.rejected:,} rejected"
        )
        if totals.rejected:
            typer.echo(f"Why rows were rejected: {play.rejects}")
