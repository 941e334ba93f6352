"""Requests of tools as adapters see them, and the tool's API as they ask it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Endpoint, Heard, Request, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
URL = "https://care.example.com/v1/hooks"


def endpoint(tool: str, secret: str = "s3cret", **options: str) -> Endpoint:
    """An endpoint of ours."""
    return Endpoint(tool, "main", secret, f"{URL}/{tool}/main", options)


def delivery(tool: str, body: Any, headers: Mapping[str, str] | None = None, query: str = "") -> Request:
    """What a tool sends: bytes as they are, a mapping of texts of Twilio's as a form, everything else as JSON."""
    kind = "application/json"
    if isinstance(body, str):
        body, kind = body.encode(), "text/xml"
    elif isinstance(body, dict) and tool == "twilio" and "data" not in body and "task" not in body:
        body, kind = urlencode(body).encode(), "application/x-www-form-urlencoded"
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    given = {"content-type": kind, **{name.lower(): value for name, value in (headers or {}).items()}}
    return Request("POST", (f"{URL}/{tool}/main",), query, given, body, NOW)


def signed(tool: str, body: Any, secret: str = "s3cret") -> Request:
    """The same, with the headers and the query with which the tool would send it."""
    request = delivery(tool, body)
    made = dict(TOOLS[tool].sign(request.body, endpoint(tool, secret), NOW))
    query = made.pop("?", "")
    return delivery(tool, body, {"content-type": request.headers["content-type"], **made}, query)


def verdict(request: Request, tool: str, secret: str = "s3cret", at: datetime = NOW) -> Verdict:
    """Whether it is genuine."""
    return TOOLS[tool].verify(request, endpoint(tool, secret), at)


def read(tool: str, body: Any, headers: Mapping[str, str] | None = None, **options: str) -> Sequence[Heard]:
    """What a delivery says."""
    return TOOLS[tool].read(delivery(tool, body, headers), endpoint(tool, **options))


def one(tool: str, body: Any, headers: Mapping[str, str] | None = None, **options: str) -> Any:
    """The one thing that it says."""
    (found,) = read(tool, body, headers, **options)
    return found


class Api:
    """A tool's API: answers by path, and what it was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers, self.asked = answers, list[str]()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """What stands under a path; KeyError where nothing does."""
        self.asked.append(path)
        return self.answers[path]

    async def recently(self, path: str) -> Any:
        """The same: nothing is recent."""
        return await self.get(path)

    async def visit(self, url: str) -> None:
        """A page of the tool's; KeyError where there is none."""
        await self.get(url)


async def completed(tool: str, body: Any, api: Api, headers: Mapping[str, str] | None = None) -> Sequence[Heard]:
    """What a thin delivery says after the tool's API was asked."""
    complete = TOOLS[tool].complete
    assert complete is not None
    return await complete(delivery(tool, body, headers), endpoint(tool, api_token="t0ken"), api)
