"""Logs as JSON lines, each with what it is part of: a request, an event, a loop. Never a customer's words."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(service: str, *, level: int = logging.INFO) -> None:
    """One JSON object a line on standard error; `service` names the process. Libraries speak from warnings upwards."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    for noisy in ("aiokafka", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=service)
