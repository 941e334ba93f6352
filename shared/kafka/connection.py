"""Where the brokers are, and how to end a talk with them that may never end by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to speak to them (aiokafka's own option names in `security`)."""

    bootstrap_servers: str
    security: dict[str, Any]

    def options(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.bootstrap_servers, **self.security}


def is_passing(error: KafkaError) -> bool:
    """Whether the brokers may take the same record later; not where it or its topic is at fault."""
    return bool(error.retriable) and not isinstance(error, UnknownTopicOrPartitionError)


async def quietly(work: Any, seconds: float) -> None:
    """Ends something of aiokafka's without letting it hold us or fail us: it may block or raise CancelledError."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    elif not task.cancelled():
        task.exception()
