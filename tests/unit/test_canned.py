"""Own words are taken, form letters are not. All texts here were written for these tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.canned import likeness

OWN = [
    "I rang you at eight; a technician replaces the splitter in your street tomorrow at nine.",
    "Refunded: 40 EUR left our account today.",
    "You are right. Our depot gave your parcel to the wrong house, and I have fetched it myself.",
    "Sorry, we broke it. The new router is on your porch.",
    "I listened to the call. What our colleague said to you was wrong, and she has told you so herself.",
    "已为您更换光猫，师傅明天上午九点上门，我会在现场。",
    "多扣的 88 元今天已退回，原因是系统重复计费，昨晚已修好。",
    "您说得对，外卖员把餐放错了楼，我已让店里重做并亲自送到。",
]
FORMS = [
    "We value your feedback and apologise for any inconvenience.",
    "Thank you for contacting us. Your satisfaction is important to us.",
    "Dear customer,\nWe are sorry to hear about your experience. Your concerns have been forwarded to the relevant "
    "team.\nKind regards\nThe service team",
    "We take all complaints seriously. Please do not hesitate to contact us again.",
    "感谢您的反馈，给您带来不便深表歉意。",
    "您反映的问题已收悉，我们高度重视。",
    "您的意见已转交相关部门，感谢您的支持。",
    "ok",
    "",
]


@pytest.mark.parametrize("text", OWN)
def test_short_and_specific_is_an_answer(text: str) -> None:
    assert likeness(text, [one for one in OWN if one != text]).acceptable


@pytest.mark.parametrize("text", FORMS)
def test_courtesy_alone_is_none(text: str) -> None:
    found = likeness(text, [])
    assert not found.acceptable
    assert found.because


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "Dear Mr Osei, I called you this morning about order 4711; a new one arrives on 3 March at nine.",
            "Dear Ms Novak, I called you this morning about order 815; a new one arrives on 12 June at nine.",
        ),
        (
            "Hello Li Wei,\nthe fault in your street was found on Monday, and our team has mended it.\nRegards\nAna",
            "Hello Bo Chen,\nthe fault in your street was found on Friday, and our team has mended it.\nRegards\nVic",
        ),
        (
            "王女士您好：您反映的3号楼漏水问题，物业已于5月2日完成维修，后续将每周巡查。",
            "李先生您好：您反映的8号楼漏水问题，物业已于6月19日完成维修，后续将每周巡查。",
        ),
    ],
)
def test_a_template_with_names_and_dates_swapped_is_a_copy(first: str, second: str) -> None:
    found = likeness(second, ["Something else entirely was written to somebody.", first])
    assert not found.acceptable
    assert found.value >= 0.8
    assert found.like == 1


def test_the_same_matter_in_other_words_is_no_copy() -> None:
    one = "I rang the depot: your parcel stood in Leeds for a week, and a driver brings it this afternoon."
    other = "Your invoice counted the modem twice. I took it off, and the 30 pounds are on your card tomorrow."
    assert likeness(one, [other]).acceptable


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=5))
def test_any_text_gets_a_likeness(text: str, earlier: list[str]) -> None:
    found = likeness(text, earlier)
    assert 0 <= found.value <= 1


def test_official_replies_that_were_sent_twice_are_seen() -> None:
    """On real official replies: whatever was sent before to the letter is refused."""
    path = Path(__file__).parents[3] / "shared" / "data" / "replies_zh.jsonl"
    if not path.exists():
        pytest.skip("the real replies are not on this machine")
    replies = [json.loads(line)["reply"] for line in path.read_text(encoding="utf-8").splitlines()]
    again = [(n, reply) for n, reply in enumerate(replies) if reply in replies[:n] and len(reply) > 30]
    assert again
    assert not any(likeness(reply, replies[:n]).acceptable for n, reply in again)
