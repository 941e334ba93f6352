"""Amazon Connect's API: who the customer of a contact is, and who an agent is.

https://docs.aws.amazon.com/connect/latest/APIReference/API_DescribeContact.html, …/API_DescribeUser.html. Both take two
requests a second of an account, so what was answered a moment ago is not asked again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from .body import at, word
from .people import full_name
from .shape import Asking, Endpoint, NotUnderstood
from .sigv4 import Credentials, signed_headers

#: connect.eu-west-2.amazonaws.com, connect-fips.…, and vpce-0a-b.connect.eu-west-2.vpce.amazonaws.com
_REGION: Final = re.compile(r"(?:[a-z0-9-]{1,80}\.)?connect(?:-fips)?\.([a-z0-9-]{1,40})\.(?:vpce\.)?amazonaws\.com")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_INSTANCE: Final = re.compile(r":instance/([A-Za-z0-9_-]{1,100})(?:/|$)")

OPTIONS: Final[Mapping[str, str]] = {
    "api_url": "your region's, such as https://connect.eu-west-2.amazonaws.com",
    "api_key_id": "id of an access key that may call connect:DescribeContact and connect:DescribeUser (kept encrypted)",
    "api_secret": "the secret of that key (kept encrypted)",
    "api_token": "its session token, where it is a temporary one (kept encrypted)",
    "api_region": "where the address does not name it",
    "api_instance": "id of the instance, where deliveries do not name it",
}


def fault(options: Mapping[str, str]) -> str | None:
    """What is wrong with these options, for people; None where nothing is."""
    needed = ("api_url", "api_key_id", "api_secret")
    lacking = [name for name in needed if not options.get(name)]
    if any(options.get(name) for name in (*needed, "api_token", "api_region")) and lacking:
        return f"the API is asked with {', '.join(needed)}: {', '.join(lacking)} missing"
    return None if lacking or _region(options) else "api_url does not name a region: give --option api_region=…"


def _region(options: Mapping[str, str]) -> str | None:
    named = _REGION.fullmatch(urlsplit(options.get("api_url", "")).hostname or "")
    return options.get("api_region") or (named[1] if named else None)


def authorize(endpoint: Endpoint, url: str, now: datetime) -> Mapping[str, str]:
    """Signature Version 4, which has its time in it."""
    key = Credentials(
        endpoint.option("api_key_id") or "", endpoint.option("api_secret") or "", endpoint.option("api_token")
    )
    return signed_headers(url, key, _region(endpoint.options) or "", "connect", now)


def may_ask(detail: Any, attributes: Any, endpoint: Endpoint) -> bool:
    """Whether there is a credential, and an instance to ask about."""
    has_key = all(endpoint.option(name) for name in ("api_url", "api_key_id", "api_secret"))
    return has_key and _region(endpoint.options) is not None and _instance(detail, attributes, endpoint) is not None


def _instance(detail: Any, attributes: Any, endpoint: Endpoint) -> str | None:
    in_arn = _INSTANCE.search(word(at(detail, "instancearn")) or "")
    named = word(at(attributes, "instanceid", "value")) or word(at(detail, "instanceid"))
    found = endpoint.option("api_instance") or (in_arn[1] if in_arn else named)
    return found if found and _ID.fullmatch(found) else None


class Described:
    """What Connect says of the contacts and users of one instance."""

    def __init__(self, asking: Asking, detail: Any, attributes: Any, endpoint: Endpoint) -> None:
        self._asking, self._instance = asking, _instance(detail, attributes, endpoint)

    async def contact(self, contact_id: str, *, with_agent: bool = False) -> Mapping[str, Any]:
        """A contact with its names in small letters; `with_agent` asks again where no agent had it a moment ago."""
        path = f"/contacts/{self._instance}/{_safe(contact_id)}"
        found = _contact(await self._asking.recently(path))
        if with_agent and at(found, "agentinfo", "id") is None:
            found = _contact(await self._asking.get(path))
        return found

    async def agent(self, agent_id: str) -> Mapping[str, Any]:
        """An agent's name and mail address; empty where Connect does not tell them."""
        try:
            user = lower(await self._asking.recently(f"/users/{self._instance}/{_safe(agent_id)}"))
        except NotUnderstood:  # the user is gone, or the key may not ask: the agent is known by their id
            return {}
        info = at(user, "user", "identityinfo")
        login, first, last = (
            word(one) for one in (at(user, "user", "username"), at(info, "firstname"), at(info, "lastname"))
        )
        named = {"username": full_name(first, last) or login}
        address = next((one for one in (word(at(info, "email")), login) if one and "@" in one), None)
        return {name: value for name, value in {**named, "email": address}.items() if value}


def lower(value: Any) -> Any:
    """With keys in small letters: events write contactId, records and the API ContactId, and one event mixes both."""
    if isinstance(value, Mapping):
        return {str(key).lower(): lower(inner) for key, inner in value.items()}
    return [lower(one) for one in value] if isinstance(value, list) else value


def _contact(answer: Any) -> Mapping[str, Any]:
    found = lower(at(answer, "Contact"))
    if not isinstance(found, dict):
        raise NotUnderstood("Connect's API does not describe the contact")
    return found


def _safe(found: str) -> str:
    if not _ID.fullmatch(found):
        raise NotUnderstood("an id is none of Connect's")
    return found
