"""Salesforce's outbound messages and change events, with payloads of our own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.intake.adapters import TOOLS, salesforce
from services.intake.adapters.pieces.shape import GENUINE, Contact, Nothing, NotUnderstood, Refused, Response, Thin
from tests.hooked import NOW, Api, completed, delivery, endpoint, one, read, signed
from tests.hooks_soap import message

OBJECTS = "/services/data/v59.0/sobjects"


CASE: dict[str, str | None] = {
    "Id": "500A", "ContactId": "003B", "Subject": "Router", "Description": "It drops &lt;again&gt; &amp; again",
    "Origin": "Phone", "OwnerId": "005Z", "CreatedDate": "2026-03-02T09:00:00.000Z",
}  # fmt: skip


def test_the_key_and_the_organization() -> None:
    told = message("Case", CASE)
    verify = salesforce.verify
    carried = delivery("salesforce", told, query="key=s3cret")
    assert verify(carried, endpoint("salesforce"), NOW) == GENUINE
    assert verify(signed("salesforce", told), endpoint("salesforce"), NOW) == GENUINE
    assert isinstance(verify(delivery("salesforce", told), endpoint("salesforce"), NOW), Refused)
    mine, other = (endpoint("salesforce", organization=f"00D00000000000{n}AAA") for n in (1, 2))
    assert verify(carried, mine, NOW) == GENUINE
    assert isinstance(verify(carried, other, NOW), Refused)


def test_every_delivery_is_acknowledged_in_soap() -> None:
    answer = TOOLS["salesforce"].accepted
    assert answer.status == 200 and answer.media_type == "text/xml"
    assert b"<notificationsResponse" in answer.body and b"<Ack>true</Ack>" in answer.body


def test_a_case_is_a_contact_and_its_owner_nobodys_responder() -> None:
    said = one("salesforce", message("Case", CASE))
    assert isinstance(said, Contact)
    assert (said.event_id, said.conversation_id, said.channel, said.subject) == ("500A", "500A", "phone", "Router")
    assert said.text == "It drops <again> & again"
    assert (said.customer.id, said.occurred_at, said.responder) == ("003B", NOW, None)
    # another message about the same case is about the same contact
    assert one("salesforce", message("Case", {**CASE, "OwnerId": "005Y"})).event_id == said.event_id


def test_a_case_of_an_address_alone() -> None:
    told = {**CASE, "ContactId": None, "SuppliedEmail": "ola@example.org", "SuppliedName": "Ola", "Origin": "Web"}
    said = one("salesforce", message("Case", told))
    assert (said.channel, said.customer.name, said.customer.email) == ("web", "Ola", "ola@example.org")
    assert "ola" not in said.customer.id


def test_up_to_a_hundred_records_come_at_once() -> None:
    told = message("Case", *({**CASE, "Id": f"500{n}"} for n in range(100)))
    assert [said.event_id for said in read("salesforce", told)] == [f"500{n}" for n in range(100)]  # type: ignore[union-attr]


async def test_a_case_of_which_only_the_id_is_told_is_asked_for() -> None:
    bare = message("Case", {"Id": "500A"})
    assert isinstance(one("salesforce", bare), Thin)
    whole = {name: value for name, value in CASE.items() if name != "Id"}
    (said,) = await completed("salesforce", bare, Api({f"{OBJECTS}/Case/500A": whole}))
    assert isinstance(said, Contact) and said.customer.id == "003B"


def test_a_case_of_nobody_known_says_so_unless_somebody_can_be_asked() -> None:
    told = message("Case", {"Id": "500A", "Subject": "Router"})
    said = one("salesforce", told)
    assert isinstance(said, Contact) and said.attributes == {"thin": "who the customer is"} and said.occurred_at == NOW
    assert isinstance(one("salesforce", told, api_token="t"), Thin)


MAIL: dict[str, str | None] = {
    "Id": "02sA", "ParentId": "500A", "Incoming": "true", "FromAddress": "ola@example.org", "FromName": "Ola",
    "Subject": "Re: Router", "TextBody": "Still broken\n\n-- \nOla", "MessageDate": "2026-03-02T09:10:00Z",
}  # fmt: skip


async def test_mails_of_a_case() -> None:
    said = one("salesforce", message("EmailMessage", MAIL))
    assert isinstance(said, Contact)
    assert (said.conversation_id, said.text, said.channel) == ("500A", "Still broken", "email")
    out = {**MAIL, "Incoming": "false", "CreatedById": "005Z", "FromName": "Ana", "FromAddress": "ana@care.example"}
    answer = one("salesforce", message("EmailMessage", out))
    assert isinstance(answer, Response)
    assert (answer.responder.id, answer.responder.name, answer.conversation_id) == ("005Z", "Ana", "500A")
    assert answer.occurred_at == NOW + timedelta(minutes=10)
    whole = {name: value == "true" if name == "Incoming" else value for name, value in MAIL.items()}
    api = Api({f"{OBJECTS}/EmailMessage/02sA": whole, f"{OBJECTS}/Case/500A": {"ContactId": "003B"}})
    (known,) = await completed("salesforce", message("EmailMessage", {"Id": "02sA"}), api)
    assert isinstance(known, Contact) and known.customer.id == "003B"


async def test_whoever_commented_is_asked_for() -> None:
    told = message("CaseComment", {"Id": "00aA"})
    assert isinstance(one("salesforce", told), Thin)
    assert isinstance(one("salesforce", message("CaseComment", {"Id": "00aA", "IsPublished": "false"})), Nothing)
    comment = {
        "ParentId": "500A", "CommentBody": "Hello", "IsPublished": True, "CreatedById": "005Z",
        "CreatedDate": "2026-03-02T09:00:00.000+0000",
    }  # fmt: skip
    user: dict[str, Any] = {"Name": "Ana", "Email": "ana@care.example", "UserType": "Standard"}
    asked = {f"{OBJECTS}/CaseComment/00aA": comment, f"{OBJECTS}/User/005Z": user}
    (answer,) = await completed("salesforce", told, Api(asked))
    assert isinstance(answer, Response) and answer.responder.name == "Ana" and answer.occurred_at == NOW
    asked[f"{OBJECTS}/User/005Z"] = {**user, "ContactId": "003B", "UserType": "CspLitePortal"}
    (said,) = await completed("salesforce", told, Api(asked))
    assert isinstance(said, Contact) and said.customer.id == "003B"
    asked[f"{OBJECTS}/User/005Z"] = {**user, "UserType": "AutomatedProcess"}
    assert isinstance((await completed("salesforce", told, Api(asked)))[0], Nothing)


def test_the_worker_who_accepted() -> None:
    work = {"Id": "0Bz1", "WorkItemId": "500A", "UserId": "005Z", "AcceptDateTime": "2026-03-02T09:01:00Z"}
    taken = one("salesforce", message("AgentWork", work))
    assert isinstance(taken, Response) and (taken.responder.id, taken.conversation_id) == ("005Z", "500A")
    assert isinstance(one("salesforce", message("AgentWork", {**work, "AcceptDateTime": None})), Nothing)


def test_change_events() -> None:
    header = {"entityName": "Case", "recordIds": ["500A"], "changeType": "CREATE"}
    payload = {**CASE, "ChangeEventHeader": header, "CreatedDate": 1772442000000}
    for told in ({"payload": payload}, {"detail": {"payload": payload}}, {"data": {"payload": payload}}):
        said = one("salesforce", told)
        assert isinstance(said, Contact) and (said.event_id, said.occurred_at) == ("500A", NOW)
    changed = {"payload": {"OwnerId": "005Z", "ChangeEventHeader": {**header, "changeType": "UPDATE"}}}
    assert isinstance(one("salesforce", changed), Nothing)


def test_other_records_are_nothing() -> None:
    for kind in ("Opportunity", "Contact", "Account"):
        assert isinstance(one("salesforce", message(kind, {"Id": "x"})), Nothing)


def test_a_repeat_has_the_same_notifications() -> None:
    first, again = (message("Case", CASE).replace("<SessionId", f"<!-- {n} --><SessionId") for n in (1, 2))
    identity = salesforce.identity
    assert identity(delivery("salesforce", first)) == identity(delivery("salesforce", again))


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
FILE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        FILE,
        "<a/>",
        "<a",
        "",
        "{}",
        '{"payload":[]}',
        '<?xml version="1.0" encoding="nonsense"?><a/>',
        "<a>" * 9_000,
    ],
)
def test_what_is_unsafe_or_none_of_it_is_not_understood(body: str) -> None:
    with pytest.raises(NotUnderstood):
        read("salesforce", body)
