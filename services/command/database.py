"""What commands do to the database alone: one thing, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.settings import Base

T = TypeVar("T")


async def in_transaction(
    settings: Base,
    work: Callable[[AsyncConnection], Awaitable[T]],
    *,
    name: str,
    service: str | None = None,
    whole_tables: bool = False,
) -> T:
    """Runs `work(conn)` in one transaction, as the role of `service` where one is named."""
    from shared.db import make_engine, role_of

    role = role_of(service) if service is not None and settings.database_roles else None
    engine = make_engine(settings.database_url, role=role, size=1, name=name, whole_tables=whole_tables)
    try:
        async with engine.begin() as conn:
            return await work(conn)
    finally:
        await engine.dispose()


def on_database(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """The same for a command that does nothing else, as the database's user itself."""
    import asyncio

    from services.command.settings import DatabaseSettings
    from shared.settings import load

    return asyncio.run(in_transaction(load(DatabaseSettings), work, name="complaint-loop-command"))
