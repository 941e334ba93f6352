"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(fact: Callable[[], Any], seconds: float, what: Callable[[], str] = str) -> Any:
    """Asks again and again until the answer is true, and returns it; AssertionError with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < end, f"never became true: {what()}"
        time.sleep(0.05)
    return found
