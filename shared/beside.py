"""Work that goes on beside other work, and is waited for.

What asyncio.TaskGroup is for, but that of Python 3.11.2 (Debian 12) may leave a cancellation behind where a task of its
fails: the caller, who has the failure in hand, is then cancelled at its next wait, and a loop ends unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside() -> AsyncIterator[Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]]:
    """`async with beside() as start: start(work())`: waits for all that was started, once the block is through.

    It waits in the order of the starts. At the first failure that it comes to, or where the block fails, everything
    else is cancelled and waited for, and that failure is raised; one that happens meanwhile is seen in its turn.
    """
    started: list[asyncio.Task[Any]] = []

    def start(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        started.append(task)
        return task

    try:
        yield start
        for task in started:
            await task
    except BaseException:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
        raise
