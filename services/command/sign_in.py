"""`sign-in`: a new link for a supervisor's browser."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command("sign-in")
    def sign_in(
        name: Annotated[str, typer.Option(help="who signs in, as timelines will name them")] = "supervisor",
        hours: Annotated[int, typer.Option(min=1, max=720, help="how long the link is good")] = 12,
        as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    ) -> None:
        """Print a link that signs a supervisor's browser in."""
        import json

        from services.command.settings import LinkSettings
        from shared.auth import sign_in_token
        from shared.clock import SystemClock
        from shared.settings import load

        settings = load(LinkSettings)
        token = sign_in_token(settings.secret_key.get_secret_value(), name, SystemClock().now(), seconds=hours * 3600)
        link = f"{settings.base_url}/sign-in/{token}"
        typer.echo(json.dumps({"sign_in_url": link}) if as_json else link)
