"""The command: against a running instance, or one of its own that is gone afterwards."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def demo(
        own: Annotated[bool, typer.Option("--own", help="an instance of its own, also where one is running")] = False,
        keep: Annotated[
            bool | None,
            typer.Option("--keep/--no-keep", help="keep its own instance on until Ctrl-C (else: in a terminal only)"),
        ] = None,
    ) -> None:
        """Play real complaints through the whole loop in under a minute; print what happens, and why (`make demo`)."""
        import sys

        from services.command.demo.instance import own_instance, running_instance
        from services.command.demo.story import play
        from services.command.demo.teller import say

        running = None if own else running_instance()
        if running:
            say(f"Playing on the running instance: {running['http_url']}")
            play(running, fast=False)
            return
        with own_instance(say) as instance:
            play(instance, fast=True)
            if keep or (keep is None and sys.stdout.isatty()):
                instance.wait("\nEverything stays on for you to look at. Ctrl-C ends it and removes its folder.")
