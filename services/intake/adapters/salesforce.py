"""Salesforce: outbound messages (SOAP), and records as change events of the Pub/Sub API or an event relay (JSON).

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm,
…/change_data_capture. Nothing is signed: the secret comes as ?key=. A message holds the fields that somebody chose for
it; where those tell too little, the record is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from shared.contracts.intake import Channel

from .pieces.body import at, json_of, moment, needed, word
from .pieces.people import by_address
from .pieces.quoted import said, said_plainly
from .pieces.shape import (
    GENUINE,
    Adapter,
    Asking,
    Contact,
    Customer,
    Endpoint,
    Heard,
    Nothing,
    NotUnderstood,
    Refused,
    Reply,
    Request,
    Response,
    Staff,
    Thin,
    Unread,
    Verdict,
    each,
    understood,
)
from .pieces.signing import all_of, carried, digest

_OUTBOUND: Final = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ACK: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>"
)
_ORIGINS: Final[Mapping[str, Channel]] = {
    "email": "email", "phone": "phone", "web": "web", "chat": "chat", "live agent": "chat", "sms": "sms",
    "facebook": "social", "twitter": "social", "whatsapp": "social", "social": "social",
}  # fmt: skip
_VERSION: Final = "v59.0"
#: what is asked of a record of which too little is known
_RECORDS: Final[Mapping[str, str]] = {
    "Case": "ContactId,AccountId,SuppliedEmail,SuppliedName,SuppliedPhone,Subject,Description,Origin,CreatedDate",
    "EmailMessage": "ParentId,Incoming,FromAddress,FromName,Subject,TextBody,HtmlBody,MessageDate,CreatedById",
    "CaseComment": "ParentId,CommentBody,IsPublished,CreatedById,CreatedDate",
    "LiveChatTranscript": "CaseId,ContactId,OwnerId,Body,CreatedDate,StartTime,RequestTime",
    "AgentWork": "WorkItemId,UserId,AcceptDateTime",
}

Fields = Mapping[str, Any]


def verify(request: Request, endpoint: Endpoint, now: datetime) -> Verdict:
    """The secret itself, and the organization's id where the endpoint names it."""
    wanted = endpoint.option("organization")
    right = wanted is None or wanted[:15].encode() in request.body
    return all_of(carried(request, endpoint), GENUINE if right else Refused("Another organization sent it."))


def sign(body: bytes, endpoint: Endpoint, now: datetime) -> Mapping[str, str]:
    """An outbound message, with the secret."""
    return {"SOAPAction": '""', "X-Api-Key": endpoint.secret}


def identity(request: Request) -> str:
    """A message is sent again until it is acknowledged, each time with the same ids and perhaps another session."""
    if _is_xml(request):
        ids = [word(one.findtext(f"{_OUTBOUND}Id")) or "" for one in _notifications(request)]
        return digest(*ids)
    return digest(request.body)


def read(request: Request, endpoint: Endpoint) -> Sequence[Heard]:
    """Cases, mails and comments in them, chats, and work that an agent accepted."""
    found = each(_records(request), lambda one: [_record(*one, endpoint, request.received_at)])
    return found or [Nothing("no record")]


def _is_xml(request: Request) -> bool:
    return "xml" in request.header("content-type") or request.body.lstrip()[:1] == b"<"


def _notifications(request: Request) -> list[Element]:
    try:
        root = fromstring(request.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise NotUnderstood("the body is no XML that is safe to read") from None
    found: list[Element] = root.findall(f".//{_OUTBOUND}notifications/{_OUTBOUND}Notification")
    if not found:
        raise NotUnderstood("the XML is no outbound message")
    return found[:1_000]


def _records(request: Request) -> Iterator[tuple[str, Fields]]:
    if _is_xml(request):
        for one in _notifications(request):
            thing = one.find(f"{_OUTBOUND}sObject")
            if thing is None:
                raise NotUnderstood("a notification holds no record")
            fields = {field.tag.rpartition("}")[2]: field.text for field in thing if field.get(_NIL) != "true"}
            yield thing.get(_TYPE, "").rpartition(":")[2], fields
        return
    told: Any = json_of(request)
    payload = at(told, "detail", "payload") or at(told, "data", "payload") or at(told, "payload")
    if not isinstance(payload, Mapping):
        raise NotUnderstood("neither an outbound message nor an event")
    header = payload.get("ChangeEventHeader")
    if header is None:
        yield "platform event", payload
        return
    whole = str(at(header, "changeType")).upper() == "CREATE"
    kind = word(at(header, "entityName")) or ""
    for record_id in at(header, "recordIds") or []:
        yield (kind if whole or kind == "AgentWork" else f"change of a {kind}"), {**payload, "Id": record_id}


def _record(kind: str, fields: Fields, endpoint: Endpoint, now: datetime) -> Heard:
    if kind not in _RECORDS:
        return Nothing(f"a {kind}: nobody said anything" if kind.isprintable() and len(kind) < 60 else "another record")
    record = needed(fields.get("Id"), "the record's id")
    if kind == "AgentWork":
        return _work(record, fields)
    if kind == "CaseComment":
        if fields.get("IsPublished") is not None and not _true(fields["IsPublished"]):
            return Nothing("a private comment")
        # customers comment too, in a portal: the user's record tells them apart
        return Thin("whether a customer or a colleague wrote the comment")
    heard = _mail(record, fields, now) if kind == "EmailMessage" else _case_or_chat(kind, record, fields, now)
    if isinstance(heard, Contact) and "thin" in heard.attributes and endpoint.option("api_token"):
        return Thin(str(heard.attributes["thin"]))
    return heard


def _case_or_chat(kind: str, record: str, fields: Fields, now: datetime) -> Heard:
    if not fields.keys() - {"Id", "OwnerId", "Status", "CaseNumber"}:
        return Thin(f"all but the {kind}'s id")
    channel = "chat" if kind == "LiveChatTranscript" else _channel(fields.get("Origin"))
    # a case's description is plain, a chat's transcript is HTML
    text, pictures = said_plainly(fields.get("Description"), mail=channel == "email"), list[str]()
    if not text:
        text, pictures = said(fields.get("Body"), mail=False)
    customer, words = _customer(fields, "SuppliedEmail", "SuppliedName"), text or word(fields.get("Subject"))
    began = next(filter(None, (fields.get(name) for name in ("RequestTime", "StartTime", "CreatedDate"))), None)
    return Contact(
        event_id=record,
        occurred_at=moment(began) if began else now,
        channel=channel,
        customer=customer or Customer(f"{kind.lower()}-{record}"),
        conversation_id=word(fields.get("CaseId")) or record,
        subject=word(fields.get("Subject")),
        text=text,
        attachments=pictures,
        attributes=_lacking({"who the customer is": customer, "words": words}),
    )


def _lacking(told: Mapping[str, Customer | str | None]) -> dict[str, str]:
    """What a contact says of itself where some of this is not told."""
    missing = [what for what, there in told.items() if not there]
    return {"thin": " and ".join(missing)} if missing else {}


def _channel(origin: Any) -> Channel:
    return _ORIGINS.get((word(origin) or "").lower(), "other")


def _customer(fields: Fields, address: str, name: str) -> Customer | None:
    given, phone = word(fields.get(address)), word(fields.get("SuppliedPhone")) or word(fields.get("ContactPhone"))
    known = word(fields.get("ContactId")) or word(fields.get("AccountId"))
    called = word(fields.get(name))
    if known is not None:
        return Customer(known, called, given or word(fields.get("ContactEmail")), phone)
    return by_address(given or phone or "", called) if given or phone else None


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _mail(record: str, fields: Fields, now: datetime) -> Heard:
    case, sent_at = word(fields.get("ParentId")), fields.get("MessageDate") or fields.get("CreatedDate")
    if case is None or fields.get("Incoming") is None:
        return Thin("the mail's case, or whether it came in")
    text, pictures = said(fields.get("HtmlBody"))
    text = text or said_plainly(fields.get("TextBody"))
    name, address = word(fields.get("FromName")), word(fields.get("FromAddress"))
    written_at = moment(sent_at) if sent_at else now
    if not _true(fields["Incoming"]):
        author = word(fields.get("CreatedById"))
        return (
            Response(record, written_at, case, Staff(author, name, address), text) if author else Thin("who wrote it")
        )
    customer = _customer(fields, "FromAddress", "FromName")
    return Contact(
        event_id=record,
        occurred_at=written_at,
        channel="email",
        customer=customer or Customer(f"case-{case}"),
        conversation_id=case,
        subject=word(fields.get("Subject")),
        text=text,
        attachments=pictures,
        attributes=_lacking({"who sent the mail": customer, "words": text}),
    )


def _work(record: str, fields: Fields) -> Heard:
    taken_at, item, user = fields.get("AcceptDateTime"), word(fields.get("WorkItemId")), word(fields.get("UserId"))
    if item is None or user is None:
        return Thin("which work was accepted, by whom and when")
    if not taken_at:
        return Nothing("work that nobody has accepted yet")
    return Response(record, moment(taken_at), item, Staff(user))


async def complete(request: Request, endpoint: Endpoint, asking: Asking) -> Sequence[Heard]:
    """Asks for each record of which too little is known."""
    found: list[Heard] = []
    for kind, fields in _records(request):
        try:
            heard = _record(kind, fields, endpoint, request.received_at)
            if isinstance(heard, Thin):
                whole = await _asked(asking, kind, str(fields["Id"]), _RECORDS[kind])
                told = _commented(whole, asking) if kind == "CaseComment" else _told(kind, whole, request, asking)
                heard = await told
        except NotUnderstood as fault:  # a record that is gone keeps no other back
            heard = Unread(str(fault))
        found.append(heard)
    return understood(found) or [Nothing("no record")]


async def _asked(asking: Asking, kind: str, record: str, fields: str) -> dict[str, Any]:
    path = f"/services/data/{_VERSION}/sobjects/{kind}/{quote(record, safe='')}"
    found = await asking.get(path, {"fields": fields})
    return {**found, "Id": record} if isinstance(found, dict) else {"Id": record}


async def _told(kind: str, whole: Fields, request: Request, asking: Asking) -> Heard:
    if kind == "EmailMessage" and word(whole.get("ParentId")):
        # the case knows whose the mail is by a better id than its address
        case = await _asked(asking, "Case", str(whole["ParentId"]), "ContactId,AccountId")
        whole = {**whole, **{name: case.get(name) for name in ("ContactId", "AccountId")}}
    heard = _record(kind, whole, Endpoint("salesforce", "", ""), request.received_at)
    if isinstance(heard, Thin):
        raise NotUnderstood(f"the record does not tell {heard.missing}")
    return heard


async def _commented(whole: Fields, asking: Asking) -> Heard:
    if not _true(whole.get("IsPublished")):
        return Nothing("a private comment")
    author, case = needed(whole.get("CreatedById"), "CreatedById"), needed(whole.get("ParentId"), "ParentId")
    user = await _asked(asking, "User", author, "Name,Email,ContactId,UserType")
    text = said_plainly(whole.get("CommentBody"), mail=False)
    written_at = moment(whole.get("CreatedDate"), "CreatedDate")
    contact = word(user.get("ContactId"))
    if contact is not None:
        customer = Customer(contact, word(user.get("Name")), word(user.get("Email")))
        return Contact(str(whole["Id"]), written_at, "web", customer, case, text=text)
    if word(user.get("UserType")) not in (None, "Standard"):
        return Nothing("an automatic comment")
    staff = Staff(author, word(user.get("Name")), word(user.get("Email")))
    return Response(str(whole["Id"]), written_at, case, staff, text)


ADAPTER = Adapter(
    tool="salesforce",
    verify=verify,
    identity=identity,
    read=read,
    sign=sign,
    complete=complete,
    paste=(
        "Setup > Outbound Messages, endpoint URL: {url}?key={secret}\n"
        "Leave `Send Session ID` off: it is a credential. Where mails are sent as EmailMessage, leave cases out whose\n"
        "origin is email: they hold the same words.\n"
        "Case: Id, ContactId, SuppliedEmail, SuppliedName, Subject, Description, Origin, CreatedDate\n"
        "EmailMessage: Id, ParentId, Incoming, FromAddress, FromName, Subject, TextBody, MessageDate, CreatedById\n"
        "CaseComment: Id; AgentWork: Id, WorkItemId, UserId, AcceptDateTime"
    ),
    probe=(
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        b'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><Notification><Id>04l000000000000</Id>'
        b'<sObject xsi:type="sf:Contact" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>003000000000000</sf:Id></sObject></Notification>'
        b"</notifications></soapenv:Body></soapenv:Envelope>"
    ),
    probe_type="text/xml",
    accepted=Reply(body=_ACK, media_type="text/xml"),
    options={
        "api_url": "your instance, such as https://acme.my.salesforce.com",
        "api_token": "access token, to ask for what a message leaves out",
        "organization": "only messages of this OrganizationId",
    },
)
