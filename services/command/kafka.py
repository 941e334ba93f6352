"""`kafka`: the local Kafka alone, for people who want to look with a client of their own."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def kafka() -> None:
        """Start the local Kafka alone and print its address (`make kafka`)."""
        from services.command.local import endpoints, local_parts
        from services.command.run import say

        local_parts()
        running = endpoints().get("kafka_bootstrap_servers")
        if running:
            say(f"`make run` is on, and its Kafka with it: {running}")
            return
        from deploy.local.alone import kafka_alone

        kafka_alone(say)
