"""The routes of intake."""

from __future__ import annotations

from fastapi import APIRouter

from .contacts import asking, posting
from .customers import people
from .desk import Desk
from .events import reporting
from .hearing import hearing
from .hooks import HookDoor, hooks

__all__ = ["Desk", "HookDoor", "routers"]


def routers(desk: Desk, door: HookDoor | None = None) -> list[APIRouter]:
    """All routes; those of tools where there is a door for them."""
    found = [posting(desk), reporting(desk), asking(desk), people(desk), hearing(desk)]
    return found if door is None else [*found, hooks(door)]
