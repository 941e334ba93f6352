"""Own words are taken, form letters are not. All texts here were written for these tests."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.canned import UNFILLED, likeness, sketch
from services.escalation.canned.evaluate import evaluate, main

TEXTS = Path(__file__).parent / "texts"

OWN = [
    "I rang you at eight; a technician replaces the splitter in your street tomorrow at nine.",
    "Refunded: 40 EUR left our account today.",
    "Refunded.",
    "You are right. Our depot gave your parcel to the wrong house, and I have fetched it myself.",
    "Sorry, we broke it. The new router is on your porch.",
    "I listened to the call. What our colleague said to you was wrong, and she has told you so herself.",
    "I am sorry that the driver left your parcel in the rain.",
    "I take the train to your town on Monday and bring the new modem myself.",
    "Thank you for your patience; the meter was read wrongly for two years, and you get 312 pounds back.",
    "We apologise. The crew that flooded your cellar will be with you at seven with pumps.",
    "Our shop in Leeds sold you a used phone as new. A new one is at the counter in your name.",
    "I looked into your account: the fee was charged twice since May. It is taken off.",
    "Dear Ms Novak, your seat was sold twice. That was our mistake, and the full fare is on its way.",
    "Your mother's line was cut by our own digger. It is back since noon; I drove past to see the light.",
    "Your complaint is right: nobody wrote to you for three weeks. From today it is me, on this number.",
    "已为您更换光猫，师傅明天上午九点上门，我会在现场。",
    "多扣的 88 元今天已退回，原因是系统重复计费，昨晚已修好。",
    "您说得对，外卖员把餐放错了楼，我已让店里重做并亲自送到。",
    "已将差额转入您的账户，发票今晚寄出。",
    "感谢您的耐心。楼道的灯昨晚换好了，电工姓周，每周一来查一次。",
    "王女士，我听了录音，是我们的客服说错了，她今天下午向您道歉。",
]
FORMS = [
    "We value your feedback and apologise for any inconvenience.",
    "Thank you for contacting us. Your satisfaction is important to us.",
    "Dear customer,\nWe are sorry to hear about your experience. Your concerns have been forwarded to the relevant "
    "team.\nKind regards\nThe service team",
    "We take all complaints seriously. Please do not hesitate to contact us again.",
    "We are sorry to hear that. We are looking into this.",
    "Your complaint has been received and someone will be in touch shortly.",
    "Please accept our sincere apologies for the inconvenience caused.",
    "We always strive to give every customer the best possible experience, and hope to see you again soon.",
    "Thank you for reaching out! We appreciate your loyalty and understanding. Have a nice day.",
    "We apologise sincerely for the trouble you had. A member of our team will contact you as soon as possible.",
    "感谢您的反馈，给您带来不便深表歉意。",
    "您反映的问题已收悉，我们高度重视。",
    "您的意见已转交相关部门，感谢您的支持。",
    "您好！您反映的问题，已转市民政局调查处理。",
    "您好，留言已收悉，我们将尽快处理。",
    "非常抱歉给您带来困扰，如有疑问欢迎来电。",
    "您好！2019年10月10日",
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


def test_a_short_text_is_a_copy_only_where_it_is_the_very_same() -> None:
    assert not likeness("Refunded.", ["Refunded."]).acceptable
    assert likeness("Refunded: 40 EUR today.", ["Refunded: 25 EUR today."]).acceptable


def test_names_of_people_do_not_make_words_ones_own() -> None:
    first = "Li Wei and Chen Yu met at your door, and Chen Yu put the cable back where the digger had cut it."
    second = "Bo Akande and Mia Wolf met at your door, and Mia Wolf put the cable back where the digger had cut it."
    assert likeness(second, [first]).value < likeness(second, [first], ["Bo Akande", "Mia Wolf"]).value


def test_sentences_in_another_order_or_fewer_of_them_are_a_copy() -> None:
    first = (
        "The pump in your cellar failed because nobody had serviced it for three years. That was our duty. A new pump "
        "is in, and our plumber checks it every spring from now on. I asked the caretaker to ring me if it rises."
    )
    second = (
        "That was our duty. Our plumber checks it every spring from now on. The pump in your cellar failed because "
        "nobody had serviced it for two years."
    )
    assert not likeness(second, [first]).acceptable


def test_the_same_courtesy_around_other_words_is_no_copy() -> None:
    frame = "Thank you for your patience, and please accept my apologies for the inconvenience. {} Kind regards"
    one = frame.format("The surveyor missed the crack because he never went up the ladder.")
    other = frame.format("The bank had your old address, so the card went to a stranger.")
    assert likeness(one, [other]).acceptable


@pytest.mark.parametrize(
    "text",
    [
        "Dear [customer name], the part for your boiler arrives on [Date] and our engineer fits it.",
        "I have looked into order {{order_id}}; the depot in Leeds had lost the label, and it leaves today.",
        "XX先生，您的快递被放错了楼层，站长今晚送到您家。",
        "您反映的漏水问题已于【填写日期】修好，水管换了新的。",
    ],
)
def test_a_template_with_open_places_is_none(text: str) -> None:
    found = likeness(text, [])
    assert not found.acceptable and found.because == (UNFILLED,)


def test_brackets_of_ones_own_are_no_open_places() -> None:
    assert likeness("The cable [the grey one] was cut at number 12 {we think by roadworks, not by you}.", []).acceptable


def test_a_sketch_finds_what_is_nearly_the_same() -> None:
    first = "I rang you about order 4711: the depot in Bath had put it on the wrong van; Mark brings it on Tuesday."
    second = "I rang you about order 98: the depot in Hull had put it on the wrong van; Sanjay brings it on Friday."
    other = "Your invoice counted the modem twice. I took it off, and the pounds are on your card in the morning."
    assert set(sketch(first)) & set(sketch(second))
    assert not set(sketch(first)) & set(sketch(other))


def test_how_well_our_own_texts_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {row["what"]: row for row in evaluate(Path("nowhere"), TEXTS)}
    assert figures["courtesy alone, own set"]["n"] > 200
    for row in figures.values():
        assert row["precision"] >= 0.97 and row["recall"] >= 0.95, row
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    "piece",
    ["\n", " ", "\n regards", "祝您", "w.", "1 ", "sorry ", "thank you for ", "已将您", "将", "我们", "dear valued "],
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    likeness("a" + piece * (20_000 // len(piece)) + "b", ["x" * 20_000])
    assert time.process_time() - began < 1


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=5))
def test_any_text_gets_a_likeness(text: str, earlier: list[str]) -> None:
    found = likeness(text, earlier)
    assert 0 <= found.value <= 1


@pytest.mark.parametrize("hide", ["\u200b", "\u2060", "\u00ad", "\ufe0f", "lookalike"])
@pytest.mark.parametrize("text", [OWN[0], OWN[6], OWN[15]])
def test_what_a_reader_does_not_see_makes_no_new_answer(text: str, hide: str) -> None:
    disguised = text.translate(str.maketrans("aeopc", "аеорс")) if hide == "lookalike" else hide.join(text)
    found = likeness(disguised, [text])
    assert (found.acceptable, found.value) == (False, 1.0)
    assert sketch(disguised) == sketch(text)
    assert likeness(text, [disguised]).value == 1.0
