"""`run`: what `make run` starts."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer


def say(line: str) -> None:
    """One line for the person who watches; a terminal that has been closed does not stop us."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def run(
        end_with_parent: Annotated[
            bool, typer.Option("--end-with-parent", help="stop when the program that started this is gone", hidden=True)
        ] = False,
    ) -> None:
        """Start everything on this machine: PostgreSQL, Kafka, a mail catcher, the three services (`make run`).

        What COMPLAINT_LOOP_DATABASE_URL, …_KAFKA_BOOTSTRAP_SERVERS or …_SMTP_URL name is used instead of a local part.
        """
        from services.command.local import local_parts

        local_parts()
        from deploy.local import run as local

        try:
            local.run(say, end_with_parent=end_with_parent)
        except local.Refused as refused:
            raise SystemExit(refused.code) from None
