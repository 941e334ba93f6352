"""What a mail that comes in is: whose own words, a robot's, a bounce; whatever its bytes are."""

from __future__ import annotations

import random
import time
from email.message import EmailMessage
from email.policy import SMTP
from uuid import uuid4

import pytest

from services.escalation.mail.inbound.address import Replies
from services.escalation.mail.inbound.arrived import UNREADABLE, Arrived, read, references
from services.escalation.mail.inbound.sender import is_aligned
from tests.samples import SAMPLES

HOST = "mx.company.example"
PASS = f"{HOST}; dmarc=pass (p=reject) header.from=company.example"
OWN = "I rang you at eight.\n\nA technician replaces the splitter tomorrow."
MAILS = SAMPLES / "_email_replies"


def mail(text: str = OWN, *, html: str | None = None, **headers: str) -> bytes:
    """A reply of vp@company.example, as the mail server in front of us hands it over."""
    made = EmailMessage(policy=SMTP)
    told = {
        "Return-Path": "<vp@company.example>",
        "Authentication-Results": PASS,
        "From": "Victor Vice <vp@company.example>",
        "Subject": "Re: Complaint C-00001: your own answer, please",
        "Message-ID": "<one@company.example>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in told.items():
        if value:
            made[name] = value
    if text or html is None:
        made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html") if text else made.set_content(html, subtype="html")
    return bytes(made)


def heard(raw: bytes) -> Arrived:
    return read(raw, HOST)


QUOTES = {
    "gmail": "\n\nOn Mon, 2 Mar 2026 at 09:00, Complaint Loop <loop@company.example> wrote:\n\n> Dear Victor",
    "gmail wrapped": "\n\nOn Mon, 2 Mar 2026 at 09:00, Complaint Loop\n<loop@company.example> wrote:\n\n> Dear Victor,",
    "outlook": "\n\n________________________________\nFrom: Complaint Loop <loop@company.example>\nSent: Monday, 2 "
    "March 2026 09:00\nTo: Victor Vice\nSubject: Complaint C-00001\n\nDear Victor,",
    "original message": "\n\n-----Original Message-----\nFrom: Loop\nSent: Monday\nTo: Victor\nSubject: x\n\nDear",
    "german": "\n\nAm 02.03.2026 um 09:00 schrieb Complaint Loop <loop@company.example>:\n> Sehr geehrter",
    "french": "\n\nLe lun. 2 mars 2026 à 09:00, Complaint Loop <loop@company.example> a écrit :\n> Bonjour",
    "czech": "\n\nDne po 2. 3. 2026 v 9:00 Complaint Loop <loop@company.example> napsal(a):\n> Dobrý den",
    "chinese": "\n\nComplaint Loop <loop@company.example> 于2026年3月2日周一 09:00写道：\n> 您好",
    "chinese outlook": "\n\n发件人: Complaint Loop\n发送时间: 2026年3月2日\n收件人: Victor\n主题: 投诉\n\n您好",
    "portuguese": "\n\nEm seg., 2 de mar. de 2026 às 09:00, Complaint Loop <loop@company.example> escreveu:\n> Olá",
    "russian": "\n\n02.03.2026 09:00, Complaint Loop пишет:\n> Здравствуйте",
    "bare quote": "\n\n> Dear Victor,\n> words",
    "marker": "\n\n———— Please write your reply above this line ————\n\nDear Victor,\n\nwords of the customer",
    "quoted marker": "\n\n> ———— Please write your\n> reply above this line ————\n> Dear Victor,",
    "chinese marker": "\n\n———— 请在此线以上回复 ————\n\n您好",
    "phone": "\n\nSent from my iPhone",
    "phone and quote": "\n\nSent from my iPhone\n\nOn 2 Mar 2026, at 09:00, Loop <l@company.example> wrote:\n\n> x",
    "signature": "\n\n-- \nVictor Vice\nVice President",
    "chinese phone": "\n\n发自我的 iPhone",
    "nothing": "",
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_own_words_stand_above_the_quotation(quote: str) -> None:
    assert heard(mail(OWN + quote)).text == OWN


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_a_quotation_alone_says_nothing(quote: str) -> None:
    assert heard(mail(quote.lstrip("\n"))).text == ""


@pytest.mark.parametrize(
    "own",
    [
        "We will:\n- refund 40 EUR\n- replace the splitter",
        "Thanks, that was plain. We were wrong.\n\nBest regards\nVictor",
        "From Monday on you pay nothing.\nTo: be sure, ring me.",
        "不好意思，明天九点师傅上门更换分光器。\n\n此致\n敬礼",
        "5 > 3, and that is why you get two months for free.",
    ],
)
def test_nothing_of_ones_own_is_cut_off(own: str) -> None:
    assert heard(mail(own + QUOTES["gmail"])).text == own


@pytest.mark.parametrize(
    "html",
    [
        '<div dir="ltr">I rang you at eight.<br><br>A technician replaces the splitter tomorrow.</div>'
        '<div class="gmail_quote">On Mon … wrote:<blockquote>Dear Victor</blockquote></div>',
        "<html><head><style>p {color: red}</style><title>x</title></head><body><p>I rang you at eight.</p>"
        '<p>A technician replaces the splitter tomorrow.</p><div id="divRplyFwdMsg"><b>From:</b> Complaint Loop</div>',
        "<p>I rang you at eight.</p><p>A technician replaces the splitter tomorrow.</p><blockquote type=cite>Dear",
    ],
)
def test_html_alone_is_read_up_to_its_quotation(html: str) -> None:
    assert " ".join(heard(mail("", html=html)).text.split()) == " ".join(OWN.split())


def test_flowed_lines_are_joined_and_other_charsets_read() -> None:
    flowed = b"A technician replaces \r\nthe splitter.\r\n"
    head = mail().partition(b"Content-Type")[0]
    assert heard(head + b"Content-Type: text/plain; format=flowed\r\n\r\n" + flowed).text == (
        "A technician replaces the splitter."
    )
    gbk = "明天九点师傅上门。".encode("gb18030")
    assert heard(head + b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + gbk).text == "明天九点师傅上门。"
    assert heard(head + b"Content-Type: text/plain; charset=nonsense\r\n\r\nwords").text == "words"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; type=x"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<all.company.example>"},
        {"Return_Path": "<>"},
        {"Return_Path": "<MAILER-DAEMON@company.example>"},
        {"From": "no-reply@company.example"},
        {"Subject": "Automatic reply: Complaint C-00001"},
        {"Subject": "Out of Office: Complaint"},
        {"Subject": "Automatická odpověď: Stížnost"},
        {"Subject": "Mimo kancelář"},
        {"Subject": "自动回复: 投诉 C-00001"},
        {"Subject": "自動返信: 苦情"},
        {"Subject": "Automatische Antwort: Beschwerde"},
        {"Subject": "Abwesenheitsnotiz"},
        {"Subject": "Réponse automatique : Plainte"},
        {"Subject": "Respuesta automática: queja"},
        {"Subject": "Risposta automatica: reclamo"},
        {"Subject": "Odpowiedź automatyczna: skarga"},
        {"Subject": "Автоматический ответ: жалоба"},
    ],
)
def test_robots_are_known_by_what_they_say_of_themselves(headers: dict[str, str]) -> None:
    found = heard(mail(**headers))
    assert found.robot and not found.text


@pytest.mark.parametrize(
    "text",
    [
        "I am currently out of the office until Monday and will answer then.",
        "Thank you for your email. I am away until 9 March with limited access to email.",
        "Jsem mimo kancelář do pondělí.",
        "Momentálně nejsem v kanceláři.",
        "我目前不在办公室，周一回复您。",
        "Ich bin derzeit nicht im Büro.",
    ],
)
def test_notices_of_absence_without_headers_are_no_answers(text: str) -> None:
    found = heard(mail(text))
    assert found.absent and not found.robot


def test_a_person_is_no_robot() -> None:
    found = heard(mail(Auto_Submitted="no", Subject="AW: Complaint"))
    assert found == Arrived("vp@company.example", True, False, None, OWN, False)


@pytest.mark.parametrize(
    ("results", "aligned"),
    [
        ([PASS], True),
        ([f"{HOST} 1; dmarc=pass header.from=company.example"], True),
        ([f"{HOST};\r\n\tdkim=pass (2048-bit; (nested)) header.d=company.example;\r\n\tspf=none"], True),
        ([f"{HOST}; dkim=pass header.i=@mail.company.example"], True),
        ([f"{HOST}; spf=pass smtp.mailfrom=vp@company.example; dmarc=none"], True),
        ([f"{HOST}; dkim=pass header.d=company.example; dmarc=fail header.from=company.example"], False),
        ([f"{HOST}; dmarc=pass header.from=thief.example"], False),
        ([f"{HOST}; dkim=pass header.d=thief.example"], False),
        ([f"{HOST}; dkim=pass header.d=example"], False),
        ([f"{HOST}; dkim=pass header.d=notcompany.example"], False),
        ([f"{HOST}; spf=pass smtp.mailfrom=thief.example"], False),
        ([f"{HOST}; spf=fail smtp.mailfrom=company.example"], False),
        ([f"{HOST}; none"], False),
        (["mx.thief.example; dmarc=pass header.from=company.example"], False),
        ([f"mx.thief.example (; {HOST}; dmarc=pass header.from=company.example)"], False),
        ([f"{HOST}.thief.example; dmarc=pass header.from=company.example"], False),
        ([f'"{HOST}"; dmarc=pass header.from=company.example'], True),
        ([PASS, f"{HOST}; dmarc=fail header.from=company.example"], False),
        ([f"{HOST}; x=(dmarc=pass header.from=company.example)"], False),
        (["(" * 3000 + ")" * 3000 + PASS], False),
        ([], False),
    ],
)
def test_only_the_trusted_server_says_who_sent_it(results: list[str], aligned: bool) -> None:
    assert is_aligned("vp@company.example", results, HOST) is aligned


@pytest.mark.parametrize(
    "sender",
    [
        "vp@company.example, thief@thief.example",
        "",
        "Victor",
        '"vp@company.example" <thief@thief.example>',
        "=?utf-8?q?vp=40company.example?= <thief@thief.example>",
    ],
)
def test_an_author_is_one_address(sender: str) -> None:
    raw = mail(From="").replace(b"Subject:", f"From: {sender}\r\nSubject:".encode(), 1)
    assert not heard(raw).aligned
    assert heard(raw).text == ""


def test_two_authors_are_none() -> None:
    raw = mail().replace(b"Subject:", b"From: vp@company.example\r\nSubject:", 1)
    assert not heard(raw).aligned


REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.company.example
To: answers+x@company.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: {kind}

Reporting-MTA: dns; mx.company.example

Final-Recipient: rfc822; vp@company.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: <{original}@company.example>
Subject: Complaint

--b--
"""


@pytest.mark.parametrize(
    ("action", "status", "came"),
    [
        ("failed", "5.1.1", "5.1.1"),
        ("Failed", "4.4.7", "5.0.0"),
        ("delayed", "4.4.1", None),
        ("delivered", "2.0.0", None),
        ("relayed", "2.0.0", None),
    ],
)
@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
def test_a_bounce_is_told_from_a_delay(action: str, status: str, came: str | None, kind: str) -> None:
    raw = REPORT.format(kind=kind, action=action, status=status, original="x").replace("\n", "\r\n").encode()
    found = heard(raw)
    assert (found.robot, found.bounced) == (True, came)


def test_a_report_says_which_mail_it_is_about() -> None:
    original = str(uuid4())
    raw = REPORT.format(kind="message/delivery-status", action="failed", status="5.1.1", original=original).encode()
    assert Replies("s" * 40, "answers", "company.example", "company.example").named_in(references(raw)[1]) == original


def test_addresses_of_mails_are_proof() -> None:
    replies = Replies("s" * 40, "answers", "company.example", "company.example")
    for name in (str(uuid4()), f"digest-{uuid4()}"):
        address = replies.of(name)
        assert address is not None and len(address.partition("@")[0]) <= 64
        assert replies.read(address) == replies.read(address.upper()) == name
        assert Replies("t" * 40, "answers", "company.example", "company.example").read(address) is None
        for n in range(8, 52):
            other = address[:n] + ("a" if address[n] != "a" else "b") + address[n + 1 :]
            assert replies.read(other) in (None, name)  # the last letters of each half carry no bits
    assert replies.read("answers@company.example") == ""
    assert replies.read("answers@thief.example") is None
    assert replies.read("other@company.example") is None
    assert replies.of("told-1") is None


def test_whatever_the_bytes_are_they_are_read_or_refused() -> None:
    dice = random.Random(7)
    whole = [mail(), mail("", html="<p>x</p>"), REPORT.encode(), mail(OWN + QUOTES["outlook"])]
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2_000))
    strange = [b"", b"\x00" * 5_000, b"\xff\xfe" * 3_000, mail().partition(b"Content-Type")[0] + deep]
    strange += [b"From: " + b"(" * 50_000, b"Content-Type: text/plain; charset*0*=x''%\r\n\r\nx"]
    for _ in range(400):
        raw = bytearray(dice.choice(whole))
        for _ in range(dice.randrange(1, 30)):
            at = dice.randrange(len(raw))
            raw[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(4))
        strange.append(bytes(raw))
    for raw in strange:
        try:
            found = heard(raw)
        except UNREADABLE:
            continue
        assert found.robot or isinstance(found.text, str)
        references(raw)


@pytest.mark.parametrize(
    "text",
    [
        "On " * 20_000,
        "From: x\nTo: y\n" * 4_000,
        "Am x schrieb " * 4_000,
        "\n" * 60_000,
        "> " * 30_000,
        "On x\n" * 15_000,
    ],
    ids=["on", "headers", "german", "lines", "quotes", "ons"],
)
def test_no_text_takes_long(text: str) -> None:
    head = mail().partition(b"Content-Type")[0] + b"Content-Type: text/plain\r\n\r\n"
    began = time.perf_counter()
    heard(head + text.encode())
    assert time.perf_counter() - began < 3


@pytest.mark.skipif(not MAILS.is_dir(), reason="samples of mails are not here")
def test_mails_of_other_tools() -> None:
    words = {
        "all-special-chars.eml": "íářčšáíéřášč",
        "quoted_printable.eml": "Tohle je test českých písmen odeslaných z gmailu.",
        "blank-body-with-attachment.eml": "",
    }
    for path in MAILS.glob("*.eml"):
        raw = path.read_bytes().replace(b"\r\n", b"\n")
        sender = b"timothy.hobbs@auto-mat.cz" if b"auto-mat.cz>" in raw[:200] else b"tim.thelion@gmail.com"
        head = b"Return-Path: <" + sender + b">\r\nAuthentication-Results: " + HOST.encode()
        head += b"; dmarc=pass header.from=" + sender.partition(b"@")[2] + b"\r\n"
        assert heard(head + raw.replace(b"\n", b"\r\n")).text == words[path.name]
