"""One transaction on the driver itself, with the locks that it begins with: two round trips less than SQLAlchemy takes.

Statements of SQLAlchemy run in it as well: its connection commits by itself, as far as it knows, and so leaves the
transaction alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, BigInteger, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.prepared import Prepared, driver_of

_wanted = func.unnest(bindparam("numbers", type_=ARRAY(BigInteger))).column_valued("number")
_try = Prepared(select(_wanted.label("number"), func.pg_try_advisory_xact_lock(_wanted).label("free")))


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, wait_for: Sequence[int] = (), try_for: Sequence[int] = ()
) -> AsyncIterator[tuple[AsyncConnection, set[int]]]:
    """A connection in a transaction that commits at the end, or rolls back at an exception; `engine` is one of
    `by_hand`.

    Begins with the advisory locks `wait_for`, in their order, and those of `try_for` that are free, which it answers.
    """
    async with engine.connect() as conn:
        driver = driver_of(conn)
        try:
            yield conn, await _begun(conn, driver, wait_for, try_for)
            await driver.execute("commit")
        except BaseException:
            await _ended(conn, driver)
            raise


def by_hand(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for `transaction`: SQLAlchemy begins and commits nothing."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


async def _begun(conn: AsyncConnection, driver: Any, wait_for: Sequence[int], try_for: Sequence[int]) -> set[int]:
    # numbers of ours, so they may stand in the statement; the last part answers how many locks were taken by others
    script = ["begin"]
    if wait_for:
        script.append(f"select pg_advisory_xact_lock(one) from unnest('{_array(wait_for)}'::bigint[]) one")
    if try_for:
        script.append(f"select from unnest('{_array(try_for)}'::bigint[]) one where not pg_try_advisory_xact_lock(one)")
    status: str = await driver.execute("; ".join(script))
    if not try_for or status == "SELECT 0":
        return set(try_for)
    return await free_locks(conn, try_for)


async def free_locks(conn: AsyncConnection, numbers: Sequence[int]) -> set[int]:
    """Takes those of these advisory locks that nobody else has, until the transaction ends; answers which."""
    rows = await _try.rows(conn, {"numbers": list(numbers)}) if numbers else ()
    return {row.number for row in rows if row.free}


def _array(numbers: Sequence[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


async def _ended(conn: AsyncConnection, driver: Any) -> None:
    # a connection that has not rolled back, for whatever reason, must not be used by anybody again: its transaction and
    # its locks would go on with theirs
    rolled_back = False
    try:
        if not driver.is_closed():
            await driver.execute("rollback")
            rolled_back = True
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pass
    finally:
        if not rolled_back:
            await conn.invalidate()
