"""Keeps programs running: what dies is started again, a little later each time, and one line says so."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .process import Process
from .trouble import Trouble

_LONGEST_WAIT, _CALM_SECONDS = 30.0, 60.0


class Stopped(Exception):
    """Somebody asked us to stop."""


class StopSignals:
    """SIGINT, SIGTERM and SIGHUP as something to look at between two steps, so that nothing is left half-done."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, *_: object) -> None:
        self.count += 1

    def check(self) -> None:
        """Raises Stopped once one was heard."""
        if self.count:
            raise Stopped


def back_off(deaths: int) -> float:
    """Seconds to wait after so many deaths in a row: 0.5, 1, 2, … 30."""
    return min(_LONGEST_WAIT, 0.5 * 2.0 ** min(deaths - 1, 10))


@dataclass
class Kept:
    """One program and how to start it again."""

    process: Process
    start: Callable[[], None]
    deaths: int = 0
    started_at: float = field(default_factory=time.monotonic)
    again_at: float | None = None


class Keeper:
    """All programs of one run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kept: list[Kept] = []

    def keep(self, process: Process, start: Callable[[], None]) -> None:
        """From now on `process`, which runs, is started again with `start` when it ends by itself."""
        self._kept.append(Kept(process, start))

    def look(self) -> None:
        """One round over all programs; never waits."""
        for one in self._kept:
            now = time.monotonic()
            if one.again_at is not None:
                if now >= one.again_at:
                    self._start(one)
            elif one.process.ended is not None:
                self._died(one, how(one.process.ended), one.process.last_words())
            elif one.deaths and now - one.started_at > _CALM_SECONDS:
                one.deaths = 0

    def deaths(self) -> int:
        """The most deaths in a row of any of them."""
        return max((one.deaths for one in self._kept), default=0)

    def _start(self, one: Kept) -> None:
        one.again_at, one.started_at = None, time.monotonic()
        try:
            one.start()
        except (Trouble, OSError) as error:
            self._died(one, "it could not start", str(error))

    def _died(self, one: Kept, what: str, why: str) -> None:
        one.deaths += 1
        wait = back_off(one.deaths)
        one.again_at = time.monotonic() + wait
        self._say(f"{one.process.name}: {what}; starting it again in {wait:g} s ({why}; see {one.process.log})")


def how(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"
