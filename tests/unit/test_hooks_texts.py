"""Messages made plain: what is new in them, without what they quote, in time that grows with their length."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.adapters.pieces.plain import from_html, tidy
from services.intake.adapters.pieces.quoted import MOST, new_words, said

NEW = "The router drops every evening.\nI have said so twice."


@pytest.mark.parametrize(
    "history",
    [
        "On Mon, 2 March 2026 at 09:00, Care <care@shop.example> wrote:\n> We look into it.",
        "On Mon, 2 March 2026 at 09:00, Care Team of the Shop\n<care@shop.example> wrote:\n> We look into it.",
        "Am 02.03.2026 um 09:00 schrieb Care <care@shop.example>:\n> Wir schauen.",
        "Le lun. 2 mars 2026 à 09:00, Care <care@shop.example> a écrit :\n> Nous regardons.",
        "El lun, 2 mar 2026 a las 9:00, Care (<care@shop.example>) escribió:\n> Miramos.",
        "在 2026年3月2日，Care <care@shop.example> 写道：\n> 我们会处理。",
        "-----Original Message-----\nFrom: Care\nWe look into it.",
        "---------- Forwarded message ---------\nFrom: Care\nWe look into it.",
        "From: Care <care@shop.example>\nSent: Monday, 2 March 2026\nTo: Ola\nSubject: Router\n\nWe look into it.",
        "发件人：Care\n发送时间：2026年3月2日\n收件人：Ola\n主题：路由器\n\n我们会处理。",
        "________________________________\nFrom: Care\nSent: Monday\nTo: Ola\nSubject: Router",
        "> We look into it.\n> Care",
    ],
)
def test_history_is_cut(history: str) -> None:
    assert new_words(f"{NEW}\n\n{history}") == NEW


@pytest.mark.parametrize(
    "signature",
    [
        "--\nOla Nor\nHead of Lines",
        "Sent from my iPhone",
        "Best regards,\nOla Nor",
        "发自我的 iPhone",
        "Cheers\nOla",
        "此致",
    ],
)
def test_signatures_are_cut(signature: str) -> None:
    assert new_words(f"{NEW}\n\n{signature}") == NEW


@pytest.mark.parametrize(
    "words",
    [
        "Thanks for nothing.\nI am leaving.",
        "From: what I hear you do not care.\nIt drops.",
        "On Monday the man on the phone wrote: nothing at all.\nIt drops.",
        "Thank you\nbut it still drops!",
        "Best\nwould be to cancel my contract. Why do I still pay?",
        "I want my money back -- now.",
        "> this is what you said\nand it is wrong",
    ],
)
def test_what_is_said_stays(words: str) -> None:
    assert new_words(words) == words.removeprefix("> this is what you said\n")


def test_html_reads_as_it_looks() -> None:
    html = (
        "<html><head><style>p {color: red}</style><script>x()</script></head><body><p>It&nbsp;drops &amp; drops.</p>"
        "<ul><li>at six</li><li>at eight</li></ul><table><tr><td>Line</td><td>7</td></tr></table>"
        "<img src='https://shop.example/f/router%20lamp.png?s=1'><img src='https://count.example/open'>"
        "<div class='gmail_quote'><div>On Monday Care wrote:</div><blockquote>We look</blockquote></div></body></html>"
    )
    text, pictures = from_html(html)
    assert text == "It drops & drops.\n\n- at six\n\n- at eight\n\nLine 7"
    assert pictures == ["router lamp.png"]


def test_what_stands_after_outlooks_mark_is_history() -> None:
    text, _ = said(
        "<div>New</div><div id='appendonsend'></div><hr><div id='divRplyFwdMsg'>From: Care</div><div>Old</div>"
    )
    assert text == "New"


def test_only_mail_quotes() -> None:
    assert said("Fine\n> not fine", mail=False)[0] == "Fine\n> not fine"
    assert said(None)[0] == said("  \n")[0] == said(7)[0] == ""


@pytest.mark.parametrize(
    "unit", ["<div>", "<b><p>", "<table><td>", "<div></span>", "<!--", "&", "On 1\n", "\n", "> a\n", "From: a\n"]
)
def test_hostile_messages_cost_what_they_weigh(unit: str) -> None:
    began = perf_counter()
    said(unit * (300_000 // len(unit)))
    assert perf_counter() - began < 10  # the square of it would be minutes


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert len(said(text)[0]) <= MOST
    assert said(f"<p>{text}</p>")
    assert tidy(tidy(text)) == tidy(text)
