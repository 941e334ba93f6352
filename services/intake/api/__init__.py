"""The routes of intake."""

from __future__ import annotations

from fastapi import APIRouter

from .contacts import asking, posting
from .customers import people
from .desk import Desk
from .hearing import hearing

__all__ = ["Desk", "routers"]


def routers(desk: Desk) -> list[APIRouter]:
    """All routes."""
    return [posting(desk), asking(desk), people(desk), hearing(desk)]
