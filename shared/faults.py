"""Named fault points: places where the world may break, reachable by tests and the fault campaign.

Off, a point costs one dictionary look-up in an empty dict. On, it does what the plan says: raise before the work,
lose the reply after it, hang, or end the process as SIGKILL would.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Final, Literal

Kind = Literal["error", "hang", "kill"]

#: Every point that the code names; `plan` refuses others, so a renamed point cannot silently lose its test.
POINTS: Final = frozenset(
    {
        "corridor.before_commit",
        "corridor.after_commit",
        "relay.before_send",
        "relay.after_send",
        "relay.before_commit",
        "consumer.before_handle",
        "consumer.after_commit",
        "mail.after_claim",
        "mail.after_send",
        "mail.before_record",
        "feed.before_commit",
    }
)


class FaultError(Exception):
    """Raised by a fault point that was told to fail."""


_plan: dict[str, list[tuple[Kind, int]]] = {}


def plan(point: str, kind: Kind, *, skip: int = 0) -> None:
    """Makes `point` fail once with `kind`, after letting `skip` passes go by."""
    if point not in POINTS:
        raise ValueError(f"no fault point is named {point!r}; there are: {', '.join(sorted(POINTS))}")
    _plan.setdefault(point, []).append((kind, skip))


def plan_from_environment() -> None:
    """Reads COMPLAINT_LOOP_FAULTS, `point=kind[@skip],…`: how the campaign reaches into a process of its own."""
    for item in filter(None, os.environ.get("COMPLAINT_LOOP_FAULTS", "").split(",")):
        point, _, rest = item.partition("=")
        kind, _, skip = rest.partition("@")
        if kind not in ("error", "hang", "kill"):
            raise ValueError(f"COMPLAINT_LOOP_FAULTS: {kind!r} is no kind of fault; there are: error, hang, kill")
        plan(point, kind, skip=int(skip or 0))  # type: ignore[arg-type]


def clear() -> None:
    """Forgets every planned fault."""
    _plan.clear()


async def fault(point: str) -> None:
    """Marks a line where the world may break; does nothing unless a plan names it."""
    if not _plan or point not in _plan:
        return
    kind, skip = _plan[point][0]
    if skip:
        _plan[point][0] = (kind, skip - 1)
        return
    _plan[point].pop(0)
    if not _plan[point]:
        del _plan[point]
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hang":
        await asyncio.Event().wait()
    raise FaultError(point)
