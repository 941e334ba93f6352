"""The one shape of all adapters: a request of a tool, whether it is genuine, what it is, and what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qsl

from shared.contracts.intake import Channel

#: how old or new a signed time may be where a tool documents nothing else
TOLERANCE: Final = timedelta(minutes=5)


class NotUnderstood(Exception):
    """A delivery that cannot be understood: it is parked with this reason, which never holds what was sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. Names of headers are in lower case; `query` is as it was sent, still encoded; `urls` are
    the addresses that the tool may have signed, without the query."""

    method: str
    urls: tuple[str, ...]
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    def header(self, name: str) -> str:
        """A header; empty if it was not sent."""
        return self.headers.get(name, "")

    def parameter(self, name: str) -> str:
        """One of the query's parameters; empty if it was not sent. Raises ValueError where there are hundreds."""
        return dict(parse_qsl(self.query, max_num_fields=100)).get(name, "")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tool sends to. `tolerance` overrides how old or new a signed time may be."""

    tool: str
    id: str
    secret: str
    url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    tolerance: timedelta | None = None

    def option(self, name: str) -> str | None:
        """An option; None if it was not given."""
        return self.options.get(name) or None


@dataclass(frozen=True, slots=True)
class Genuine:
    """The request is the tool's."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is not the tool's: 401 with this reason, which never holds what was sent."""

    why: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the tool wants to have: to a handshake instead of a delivery, or to every delivery."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Verdict = Genuine | Refused | Reply
GENUINE: Final = Genuine()


@dataclass(frozen=True, slots=True)
class Customer:
    """Who speaks, as the tool knows them."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """A human who answers customers: never a bot, never the assignee for being the assignee."""

    id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer said something. `event_id` is the tool's id of the message, the same in whatever delivery it comes;
    `order` tells messages of the same moment apart, in the tool's order; `responder` is the human who took it, where
    the tool says so in one breath."""

    event_id: str
    occurred_at: datetime
    channel: Channel
    customer: Customer
    conversation_id: str | None = None
    subject: str | None = None
    text: str | None = None
    responder: Staff | None = None
    attachments: Sequence[str] = ()
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    #: further fields of `POST /v1/contacts` that the tool gives (`complaint`, `cause`, the customer's `tier`, …)
    more: Mapping[str, Any] = field(default_factory=dict)
    order: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A human answered in public, or took the conversation (then without a text)."""

    event_id: str
    occurred_at: datetime
    conversation_id: str
    responder: Staff
    text: str | None = None
    customer_id: str | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class Thin:
    """The delivery tells an id alone: the rest has to be asked for. `missing` says what, for people."""

    missing: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing for us: a bot, a private note, a change of status. `why` says which, for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Unread:
    """One of several things in a delivery that cannot be understood: the others are taken, the delivery is parked."""

    why: str


Message = Contact | Response
Heard = Message | Thin | Nothing | Unread
T = TypeVar("T")


def each(things: Iterable[T], read: Callable[[T], Sequence[Heard]]) -> list[Heard]:
    """What each of several things in one delivery says: one that cannot be understood keeps no other back."""
    found: list[Heard] = []
    for thing in things:
        try:
            found += read(thing)
        except NotUnderstood as fault:
            found.append(Unread(str(fault)))
    return understood(found)


def understood(found: list[Heard]) -> list[Heard]:
    """The same; raises NotUnderstood where nothing of it is understood."""
    if found and all(isinstance(one, Unread) for one in found):
        raise NotUnderstood(next(one.why for one in found if isinstance(one, Unread)))
    return found


class Asking(Protocol):
    """The tool's API, asked within time limits, with retries, no faster than the tool allows."""

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any: ...

    async def recently(self, path: str) -> Any: ...

    async def visit(self, url: str) -> None: ...


def bearer(endpoint: Endpoint, url: str, now: datetime) -> Mapping[str, str]:
    """The `authorize` of most tools: the token, as it is."""
    return {"authorization": f"Bearer {endpoint.option('api_token')}"}


@dataclass(frozen=True, slots=True)
class Adapter:
    """One tool.

    `verify` looks at the raw bytes and answers whether they are the tool's, or what a handshake wants to hear.
    `identity` is the tool's own id of the delivery or event, so that a repeat is known. `read` tells what it says;
    it raises NotUnderstood. `complete` asks the tool's API for what a thin delivery leaves out. `sign` makes the
    headers (and the query, under `?`) with which the tool would send a body: for `hooks test`. `paste` is what a
    person has to enter in the tool, with {url} and {secret}; `accepted` answers every delivery; `greet` answers GET
    and HEAD where the tool looks whether anybody is there. `options` are the names that the endpoint may be given,
    each with what it means.
    """

    tool: str
    verify: Callable[[Request, Endpoint, datetime], Verdict]
    identity: Callable[[Request], str]
    read: Callable[[Request, Endpoint], Sequence[Heard]]
    sign: Callable[[bytes, Endpoint, datetime], Mapping[str, str]]
    paste: str
    #: a delivery that means nothing for us
    probe: bytes
    complete: Callable[[Request, Endpoint, Asking], Awaitable[Sequence[Heard]]] | None = None
    #: the headers with which an address of the tool's API is asked
    authorize: Callable[[Endpoint, str, datetime], Mapping[str, str]] = bearer
    #: where that is, if the endpoint's `api_url` does not say otherwise
    api_url: str = ""
    #: whether `complete` needs no credential of the endpoint's: a subscription that is to be confirmed says where
    asks_without_token: bool = False
    accepted: Reply = field(default_factory=Reply)
    greet: Callable[[Request, Endpoint, datetime], Reply] | None = None
    probe_type: str = "application/json"
    options: Mapping[str, str] = field(default_factory=dict)
    #: what is wrong with a secret, for people; None where nothing is
    secret_fault: Callable[[str], str | None] = field(default=lambda secret: None)
    #: what is wrong with the options together
    options_fault: Callable[[Mapping[str, str]], str | None] = field(default=lambda options: None)


def prefixed(heard: Heard, prefix: str) -> Heard:
    """The same with `prefix` before all ids: two tools, or two accounts of one, number their people themselves."""
    if not prefix or isinstance(heard, Thin | Nothing | Unread):
        return heard
    ids: dict[str, Any] = {"event_id": prefix + heard.event_id}
    if heard.conversation_id is not None:
        ids["conversation_id"] = prefix + heard.conversation_id
    if heard.responder is not None:
        ids["responder"] = replace(heard.responder, id=prefix + heard.responder.id)
    if isinstance(heard, Contact):
        ids["customer"] = replace(heard.customer, id=prefix + heard.customer.id)
    elif heard.customer_id is not None:
        ids["customer_id"] = prefix + heard.customer_id
    return replace(heard, **ids)
