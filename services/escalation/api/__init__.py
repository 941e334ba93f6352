"""HTTP of this service: requests and routes, each a line or two into handlers or store."""

from __future__ import annotations

from fastapi import APIRouter

from services.escalation.api.desk import Desk
from services.escalation.api.escalations import escalation_routes
from services.escalation.api.feed import feed_routes
from services.escalation.api.promises import promise_routes
from services.escalation.api.unreachable import unreachable_routes

__all__ = ["Desk", "routes"]


def routes(desk: Desk) -> list[APIRouter]:
    """All routes of this service but the executives' page."""
    return [escalation_routes(desk), promise_routes(desk), unreachable_routes(desk), feed_routes(desk)]
