"""The routes of ownership."""

from __future__ import annotations

from fastapi import APIRouter

from .agents import agent_routes
from .asking import complaints, customers
from .desk import Desk
from .doing import acting, supervising
from .needing import needing
from .owners import owners
from .page import customer_page
from .view import Pages

__all__ = ["Desk", "Pages", "routers"]


def routers(desk: Desk) -> list[APIRouter]:
    """All routes."""
    return [
        complaints(desk),
        customers(desk),
        agent_routes(desk),
        owners(desk),
        needing(desk),
        acting(desk),
        supervising(desk),
        customer_page(desk),
    ]
