"""`signals explain --ask` and `signals opinions`: what an endpoint is asked, what it says, and what it has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from deploy.local.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.intake.opinion.adviser import Asked
    from shared.settings import Base


def ask(text: str, causes: Sequence[str]) -> dict[str, Any]:
    """The masked text, and what the endpoint says of it; within the day's budget, like every other question."""
    import asyncio

    from services.command.settings import DatabaseSettings
    from services.intake.opinion.adviser import Asked
    from services.intake.opinion.masking import Known, mask
    from services.intake.opinion.question import MOST_TEXT, request
    from shared.settings import load

    settings = load(DatabaseSettings)
    if settings.opinion_url is None:
        raise Trouble("Nobody is there to be asked: COMPLAINT_LOOP_OPINION_URL and OPINION_MODEL are not set.")
    masked = mask(text[:MOST_TEXT], Known())
    asked = Asked(masked, causes, request(settings.opinion_model or "", masked.text, causes))
    return {"asked": masked.text, **asyncio.run(_answer(settings, asked))}


async def _answer(settings: Base, asked: Asked) -> dict[str, Any]:
    from services.command.database import in_transaction
    from services.intake.opinion.adviser import Adviser
    from services.intake.opinion.question import Refused
    from services.intake.outside import NotNow
    from services.intake.store.opinions import reserve
    from shared.clock import SystemClock

    now, calls, most = SystemClock().now(), settings.opinion_calls_per_day, settings.opinion_characters_per_day
    size = len(asked.body.decode())
    if not await in_transaction(
        settings, lambda conn: reserve(conn, now.date(), size, calls=calls, most=most), name="complaint-loop-command"
    ):
        raise Trouble("The day's budget for second opinions is spent.")
    adviser = Adviser(settings)
    try:
        said = await adviser.ask(asked, now)
    except (Refused, NotNow) as failure:
        raise Trouble(f"The endpoint's answer is of no use: {failure}.") from None
    finally:
        await adviser.stop()
    quote = None if said.quote is None else asked.masked.original(*said.quote)
    told = {"complaint": said.complaint, "departure_threat": said.departure_threat, "quote": quote, "cause": said.cause}
    return {"model": adviser.model, **told}


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def opinions() -> None:
        """Say what second opinions of the last thirty days have cost and brought, as one line of JSON for each day."""
        import json

        from services.command.database import on_database
        from services.intake.store.opinions import days

        for row in on_database(lambda conn: days(conn, 30)):
            typer.echo(json.dumps({**row._mapping, "day": row.day.isoformat()}))
