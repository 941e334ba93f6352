"""Mails on their way: in TLS where that is asked for, never with a password in the open, signed by whoever sends."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dkim
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from deploy.local.ports import free_port
from services.escalation.mail import Post, Sent
from services.escalation.mail.post import post_of
from services.escalation.mail.signing import Signer
from services.escalation.settings import Settings
from shared.settings import SettingsError, load
from tests.unit.test_mail_settings import GIVEN

FIXTURES = Path(__file__).parents[1] / "fixtures"
KEY, CERTIFICATE = FIXTURES / "mail_key.pem", FIXTURES / "mail_certificate.pem"

INBOUND = {
    "INBOUND_ADDRESS": "answers@example.com",
    "INBOUND_LISTEN": "lmtp://127.0.0.1:2424",
    "INBOUND_AUTHSERV_ID": "mx.example.com",
}


class Safe:
    """A mail server that offers STARTTLS and remembers how each mail came."""

    def __init__(self, *, starttls: bool) -> None:
        self.taken: list[tuple[bytes, bool, Any]] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE, KEY)
        self.port = free_port()
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=context if starttls else None,
            authenticator=lambda *_: AuthResult(success=True),
            auth_require_tls=False,
        )
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop(no_assert=True)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((envelope.content, session.ssl is not None, session.authenticated))
        return "250 OK"


@pytest.fixture(params=[True, False], ids=["starttls", "plain"])
def server(request: pytest.FixtureRequest) -> Iterator[Safe]:
    """With and without STARTTLS."""
    one = Safe(starttls=request.param)
    yield one
    one.stop()


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "loop@example.com", "vp@example.com", "A complaint"
    made.set_content("words\n")
    return made


async def send(port: int, user: str = "", **more: Any) -> Sent:
    post = Post(f"smtp://{user}127.0.0.1:{port}", step_seconds=10, **more)
    sent = await post.send(message(), "loop@example.com", "vp@example.com")
    await post.close()
    return sent


async def test_starttls_is_used_where_it_is_offered_and_certificates_are_no_hurdle(server: Safe) -> None:
    offered = server._controller.SMTP_kwargs.get("tls_context") is not None
    assert (await send(server.port)).state == "accepted"
    assert [tls for _, tls, _ in server.taken] == [offered]


async def test_required_means_that_nothing_goes_in_plain_text(server: Safe) -> None:
    offered = server._controller.SMTP_kwargs.get("tls_context") is not None
    sent = await send(server.port, starttls="required", ca_file=str(CERTIFICATE))
    assert sent.state == ("accepted" if offered else "temporary")
    assert all(tls for _, tls, _ in server.taken)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted_where_tls_is_required() -> None:
    server = Safe(starttls=True)
    assert (await send(server.port, starttls="required")).state == "temporary"
    server.stop()
    assert server.taken == []


async def test_a_password_is_never_sent_in_plain_text_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.escalation.mail.post._OWN_MACHINE", ())
    server = Safe(starttls=False)
    sent = await send(server.port, "me:hush@")
    server.stop()
    assert (sent.state, server.taken) == ("temporary", [])


async def test_a_password_goes_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.escalation.mail.post._OWN_MACHINE", ())
    server = Safe(starttls=True)
    sent = await send(server.port, "me:hush@", ca_file=str(CERTIFICATE))
    server.stop()
    assert sent.state == "accepted"
    ((_, tls, authenticated),) = server.taken
    assert tls and authenticated


def public_key() -> bytes:
    """As it stands in DNS."""
    lines = (FIXTURES / "mail_public_key.pem").read_text().splitlines()
    return b"v=DKIM1; k=rsa; p=" + "".join(lines[1:-1]).encode()


async def test_what_is_signed_is_believed_and_what_is_changed_on_the_way_is_not(server: Safe) -> None:
    asked: list[bytes] = []

    def found(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return public_key()

    signer = Signer(KEY.read_text(), "loop1", "example.com")
    assert (await send(server.port, signer=signer)).state == "accepted"
    content = server.taken[0][0]
    assert dkim.verify(content, dnsfunc=found)
    assert asked == [b"loop1._domainkey.example.com."]
    assert not dkim.verify(content.replace(b"words", b"other"), dnsfunc=found)
    assert not dkim.verify(content.replace(b"From: loop@", b"From: thief@"), dnsfunc=found)
    added = content.replace(b"From: loop@", b"From: thief@example.com\r\nFrom: loop@")
    assert not dkim.verify(added, dnsfunc=found)


async def test_what_cannot_be_signed_waits() -> None:
    server = Safe(starttls=False)
    sent = await send(server.port, signer=Signer("no key", "loop1", "example.com"))
    server.stop()
    assert (sent.state, sent.said, server.taken) == ("temporary", False, [])


def started(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in (GIVEN | given).items():
        monkeypatch.setenv(f"COMPLAINT_LOOP_{name}", value)
    return load(Settings)


def test_a_key_in_a_file_signs_for_the_senders_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"DKIM_KEY_FILE": str(KEY), "DKIM_SELECTOR": "loop1", "MAIL_FROM": "loop@mail.example.com"}
    signer = post_of(started(monkeypatch, **told))._signer
    assert signer is not None
    assert (signer._domain, signer._selector) == (b"mail.example.com", b"loop1")


def test_without_a_key_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert post_of(started(monkeypatch))._signer is None


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"DKIM_KEY": "hush"}, "COMPLAINT_LOOP_DKIM_KEY: is no RSA private key in PEM"),
        ({"DKIM_KEY": KEY.read_text()}, "COMPLAINT_LOOP_DKIM_SELECTOR: is missing: a key is set"),
        ({"DKIM_SELECTOR": "a b"}, "COMPLAINT_LOOP_DKIM_SELECTOR: is no name in DNS"),
        ({"SMTP_STARTTLS": "perhaps"}, "COMPLAINT_LOOP_SMTP_STARTTLS: Input should be 'auto', 'required' or 'never'"),
        ({"SMTP_CA_FILE": "/nowhere"}, "COMPLAINT_LOOP_SMTP_CA_FILE: is no file that can be read"),
        (INBOUND | {"INBOUND_ADDRESS": "a+b@example.com"}, "COMPLAINT_LOOP_INBOUND_ADDRESS: is one plain address"),
        (INBOUND | {"INBOUND_ADDRESS": "x" * 21 + "@example.com"}, "COMPLAINT_LOOP_INBOUND_ADDRESS: is one plain"),
        (INBOUND | {"INBOUND_LISTEN": "pop3://x:1"}, "COMPLAINT_LOOP_INBOUND_LISTEN: is no address to listen at"),
        (INBOUND | {"INBOUND_LISTEN": "lmtp://x"}, "COMPLAINT_LOOP_INBOUND_LISTEN: is no address to listen at"),
        (INBOUND | {"INBOUND_LISTEN": ""}, "COMPLAINT_LOOP_INBOUND_LISTEN: is missing"),
        (INBOUND | {"INBOUND_AUTHSERV_ID": ""}, "COMPLAINT_LOOP_INBOUND_AUTHSERV_ID: is missing"),
        ({"INBOUND_LISTEN": "lmtp://x:1"}, "COMPLAINT_LOOP_INBOUND_LISTEN: is set without INBOUND_ADDRESS"),
    ],
)
def test_what_cannot_work_stops_the_start(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], mistake: str) -> None:
    with pytest.raises(SettingsError) as told:
        started(monkeypatch, **given)
    (one,) = told.value.mistakes
    assert one.startswith(mistake)
    assert "hush" not in one
