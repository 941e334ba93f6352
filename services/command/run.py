"""`run`: what `make run` starts."""

from __future__ import annotations

import contextlib
import sys

import typer


def say(line: str) -> None:
    """One line for the person who watches; a terminal that has been closed does not stop us."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def run() -> None:
        """Start everything on this machine: PostgreSQL, Kafka, a mail catcher, the three services (`make run`).

        What COMPLAINT_LOOP_DATABASE_URL, …_KAFKA_BOOTSTRAP_SERVERS or …_SMTP_URL name is used instead of a local part.
        """
        from services.command.local import local_parts

        local_parts()
        from deploy.local import run as local

        try:
            local.run(say)
        except local.Refused as refused:
            raise SystemExit(refused.code) from None
