"""Signature Version 4, held against AWS's published test suite; and who may ask Amazon Connect what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.adapters.amazon_connect import ADAPTER
from services.intake.adapters.pieces.shape import Contact, NotUnderstood, Response, Thin
from services.intake.adapters.pieces.sigv4 import Credentials, signed_headers
from tests.hooked import Api, delivery, endpoint, read

# the key, the time, the scope, the token and the signatures are those of aws-sig-v4-test-suite
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuw"
    "thAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNV"
    "XAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
LETTERS = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("method", "path", "token", "signature"),
    [
        ("GET", "/", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            None,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", "/?Param1=value1", None, "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        ("GET", f"/{LETTERS}", None, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        ("GET", "/\u1234", None, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("GET", "/?\u1234=bar", None, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        ("POST", "/", TOKEN, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    ],
)
def test_it_signs_as_awss_test_suite_does(method: str, path: str, token: str | None, signature: str) -> None:
    key = Credentials("AKIDEXAMPLE", SECRET, token)
    url = f"https://example.amazonaws.com{path}"
    made = signed_headers(url, key, "us-east-1", "service", AT, method)
    names = "host;x-amz-date;x-amz-security-token" if token else "host;x-amz-date"
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    assert made["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"
    )
    assert (made["x-amz-date"], made.get("x-amz-security-token")) == ("20150830T123600Z", token)
    assert SECRET not in repr(key) and TOKEN not in repr(key)
    # a port that goes without saying is not signed, another one is
    assert signed_headers(url.replace(".com", ".com:443"), key, "us-east-1", "service", AT, method) == made
    assert signed_headers(url.replace(".com", ".com:8443"), key, "us-east-1", "service", AT, method) != made


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, None),
        ({"api_url": "https://connect.eu-west-2.amazonaws.com", "api_key_id": "A", "api_secret": "B"}, None),
        (
            {
                "api_url": "https://vpce-0a-b.connect.us-east-1.vpce.amazonaws.com",
                "api_key_id": "A",
                "api_secret": "B",
            },
            None,
        ),
        ({"api_url": "https://proxy.example", "api_key_id": "A", "api_secret": "B", "api_region": "eu-west-2"}, None),
        ({"api_url": "https://proxy.example", "api_key_id": "A", "api_secret": "B"}, "api_region"),
        ({"api_url": "https://connect.eu-west-2.amazonaws.com", "api_key_id": "A"}, "api_secret missing"),
        ({"api_token": "T"}, "api_url, api_key_id, api_secret missing"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_when_it_is_given(options: dict[str, str], said: str | None) -> None:
    found = ADAPTER.options_fault(options)
    assert found is None if said is None else said in (found or "")


KEY = {"api_url": "https://connect.eu-west-2.amazonaws.com", "api_key_id": "A", "api_secret": "B"}
USER = {"User": {"Username": "ana@care.example", "IdentityInfo": {"FirstName": "Ana", "LastName": "Ruiz"}}}


def chat(role: str, **fields: Any) -> dict[str, Any]:
    """A message of a chat, as it is streamed."""
    return {
        "AbsoluteTime": "2026-03-02T09:00:00.000Z", "Content": "It broke", "ContentType": "text/plain", "Id": "m-1",
        "Type": "MESSAGE", "ParticipantId": "p-1", "DisplayName": "Ola", "ParticipantRole": role,
        "InitialContactId": "c-1", "ContactId": "c-2", "InstanceId": "i-1", **fields,
    }  # fmt: skip


async def completed(body: Any, api: Api) -> Any:
    """The one thing that a delivery says after the API was asked."""
    assert ADAPTER.complete is not None
    (found,) = await ADAPTER.complete(delivery("amazon-connect", body), endpoint("amazon-connect", **KEY), api)
    return found


async def test_a_chat_is_with_whom_the_contact_says() -> None:
    (thin,) = read("amazon-connect", chat("CUSTOMER"), **KEY)
    assert isinstance(thin, Thin) and thin.missing == "who the customer is"
    api = Api({"/contacts/i-1/c-1": {"Contact": {"CustomerId": "crm-7", "AgentInfo": {"Id": "a-9"}}}})
    said = await completed(chat("CUSTOMER"), api)
    assert isinstance(said, Contact)
    assert (said.customer.id, said.customer.name, said.text) == ("crm-7", "Ola", "It broke")
    assert api.asked == ["/contacts/i-1/c-1"]


async def test_who_answers_in_a_chat_is_the_agent_of_its_present_contact() -> None:
    api = Api({"/contacts/i-1/c-2": {"Contact": {"AgentInfo": {"Id": "a-9"}}}, "/users/i-1/a-9": USER})
    said = await completed(chat("AGENT", DisplayName="Ana"), api)
    assert isinstance(said, Response)
    assert (said.responder.id, said.responder.name) == ("a-9", "Ana Ruiz")
    assert (said.responder.email, said.conversation_id) == ("ana@care.example", "c-1")


async def test_an_id_that_would_lead_elsewhere_is_not_asked_for() -> None:
    with pytest.raises(NotUnderstood):
        await completed(chat("CUSTOMER", InitialContactId="../users/x"), Api({}))
    (said,) = read("amazon-connect", chat("CUSTOMER", InstanceId="../../x"), **KEY)
    assert isinstance(said, Contact)  # no instance to ask about
