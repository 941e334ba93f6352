"""A measure on a PostgreSQL of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from deploy.local.parts import start_postgres

T = TypeVar("T")


def on_postgres(measure: Callable[[str], Coroutine[Any, Any, T]]) -> T:
    """Starts one, and answers what `measure` finds on the database of this URL."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_postgres(Path(folder)) as postgres,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(measure(postgres.url))
