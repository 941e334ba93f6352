"""PostgreSQL: engines, one schema per service, and inserts of whole sets."""

from __future__ import annotations

import orjson
from sqlalchemy import (
    MetaData,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

#: constraint names that migrations and errors can rely on
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLSTATE classes and codes after which the same work may succeed: connection, resources, operator intervention,
# deadlock, serialization
_TRANSIENT_CLASSES = ("08", "53", "57P")
_TRANSIENT_CODES = ("40001", "40P01", "55P03")


def service_metadata(schema: str) -> MetaData:
    """Metadata of one service's schema."""
    return MetaData(schema=schema, naming_convention=NAMING)


def role_of(service: str) -> str:
    """The database role that a service works as."""
    return f"complaint_loop_{service}"


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def make_engine(
    url: str,
    *,
    role: str | None = None,
    size: int = 8,
    name: str = "complaint-loop",
    whole_tables: bool = False,
) -> AsyncEngine:
    """An engine whose every connection works as `role`.

    Just-in-time compilation is off: it costs more than it gives for short statements. Services look things up by key:
    their plans must not depend on statistics that say a table is empty when it has just been filled (a batch then read
    a table of 20,000 rows from end to end for each set: 800 instead of 160 microseconds a contact). `whole_tables` is
    for those who count and compare everything. A statement that runs for half a minute is a bug, and is ended.
    """
    settings = {"jit": "off", "application_name": name, "statement_timeout": "30s", "timezone": "UTC"}
    if not whole_tables:
        settings |= dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off")
    if role:
        settings["role"] = role
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"server_settings": settings, "timeout": 5, "command_timeout": 35},
    )


def sqlstate_of(error: BaseException | None) -> str:
    """PostgreSQL's code of what went wrong, in SQLAlchemy's exception or the driver's own; empty if it has none."""
    for one in (error, getattr(error, "orig", None)):
        code = getattr(one, "sqlstate", None) or getattr(one, "pgcode", None)
        if code:
            return str(code)
    return ""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed when done again: the connection, not the work, was at fault."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _passes(sqlstate_of(error)) or is_transient_cause(error.orig)
    return is_transient_cause(error)


def _passes(code: str) -> bool:
    return code.startswith(_TRANSIENT_CLASSES) or code in _TRANSIENT_CODES


def is_transient_cause(error: BaseException | None) -> bool:
    """The same of what lies under SQLAlchemy's own exceptions."""
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    if isinstance(error, (OSError, TimeoutError, PoolTimeoutError, ConnectionError)):
        return True
    lost = ("ConnectionDoesNotExistError", "InterfaceError", "InternalClientError")
    return _passes(sqlstate_of(error)) or type(error).__name__ in lost
