"""What mails and pages show and this service does not keep: the customer's words and profile, the owner, the history.

Read over HTTP from the services whose they are, when a mail is made. Whatever can't be had now makes the mail wait.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import orjson

from shared.auth import service_token
from shared.clock import Clock
from shared.http.page import encode_cursor
from shared.settings import Base

#: what is read of a complaint's history
MOST_ITEMS = 200
_TIMEOUT = httpx.Timeout(5, connect=2)


class Away(Exception):
    """A neighbour does not answer, or not sensibly: the same will be asked again later."""


class Words:
    """Asks intake and ownership. One client, its connections kept."""

    def __init__(self, settings: Base, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._secret, self._clock = settings.secret_key.get_secret_value(), clock
        self._intake, self._ownership = settings.url_of("intake"), settings.url_of("ownership")
        self._transport = transport
        self._made: httpx.AsyncClient | None = None

    async def contact(self, contact_id: str) -> dict[str, Any] | None:
        """A contact with its text; None where there is none (any more)."""
        return await self._get(self._intake, "contacts", contact_id)

    async def customer(self, customer_id: str) -> dict[str, Any] | None:
        """A customer's profile; None where intake has none."""
        return await self._get(self._intake, "customers", customer_id)

    async def agent(self, agent_id: str) -> dict[str, Any] | None:
        """Name, address, language of somebody who acts: as supervisors say, else as contacts said; None for nobody."""
        said = await self._get(self._ownership, "agents", agent_id)
        heard = None if said and said.get("email") else await self._get(self._intake, "responders", agent_id)
        if said is None:
            return heard
        languages = said.get("languages") or [None]
        known = {name: said.get(name) or (heard or {}).get(name) for name in ("name", "email")}
        return said | known | {"locale": languages[0]}

    async def superior(self, agent_id: str) -> dict[str, Any] | None:
        """Whoever an agent reports to; None where nobody says."""
        above = (await self.agent(agent_id) or {}).get("superior")
        return await self.agent(above) if above else None

    async def complaint(self, complaint_id: str) -> dict[str, Any] | None:
        """A complaint as ownership shows it."""
        return await self._get(self._ownership, "complaints", complaint_id)

    async def timeline(self, complaint_id: str, *, after: int = 0) -> list[dict[str, Any]]:
        """What happened to a complaint after the place `after`, in order, at most 200."""
        cursor = f"&cursor={encode_cursor([after])}" if after > 0 else ""
        page = await self._get(self._ownership, "complaints", complaint_id, f"/timeline?limit={MOST_ITEMS}{cursor}")
        items: list[dict[str, Any]] = page["items"] if page else []
        return items

    async def close(self) -> None:
        """Lets go of the connections."""
        made, self._made = self._made, None
        if made is not None:
            await made.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
            self._made = httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, transport=self._transport, trust_env=False)
        return self._made

    async def _get(self, base: str, what: str, name: str, rest: str = "") -> dict[str, Any] | None:
        token = service_token(self._secret, "escalation", self._clock.now())
        try:
            answer = await self._client().get(
                f"{base}/v1/{what}/{quote(name, safe='')}{rest}", headers={"Authorization": f"Bearer {token}"}
            )
        except (TimeoutError, httpx.HTTPError, OSError) as error:
            raise Away(f"{what}: {type(error).__name__}") from None
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise Away(f"{what}: status {answer.status_code}")
        try:
            found = orjson.loads(answer.content)
        except ValueError:
            raise Away(f"{what}: the answer is not JSON") from None
        if not isinstance(found, dict):
            raise Away(f"{what}: the answer is no object")
        return found
