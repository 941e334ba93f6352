"""Sentences of letters that bring an answer, have it told in person, or say what was said before; in both languages."""

from __future__ import annotations

from typing import Any, Final

from services.escalation.mail.plain import sentence

TOLD: Final[dict[str, dict[str, str]]] = {
    "en": {
        "redress": "What you get",
        "promise": "What is promised to you",
        "promise_kept": "This promise has the number {reference}. If it happens again you need not complain a second "
        "time: it goes straight back to whoever promised it.",
        "tell_again_subject": "Complaint {reference}: the customer has still not been told (reminder {times})",
        "tell_no_address": "we have no address to which this answer could be sent.",
        "tell_refused": "the customer's mail server did not take this answer.",
        "tell_came_back": "this answer was sent to the customer, and came back: they have not read it.",
        "yours_came_back": "the mail with your answer did not reach the customer: their mail server refused it, or it "
        "came back. Please tell them in person, and ask whether it solves the matter.",
        "tell_ask": "You own the complaint: please tell the customer in person, and say so in your tool, with what "
        "they said to it. Until then the customer counts as not answered.",
        "tell_since": "You were asked on {at}.",
        "untold_subject": "Complaint {reference}: an answer has not reached the customer (reminder {times})",
        "untold": "an executive has answered this customer, and no mail could bring the answer. {owner} was asked on "
        "{at} to tell the customer in person, and has not said that they did.",
        "untold_unowned": "an executive has answered this customer, no mail could bring the answer since {at}, and "
        "nobody owns the complaint who could tell them.",
        "untold_more": "Meanwhile there is more, which goes to an executive as soon as the customer knows this answer:",
        "untold_ask": "Please see to it that the customer hears these words.",
        "words_of": "What {name} has answered",
        "stay": "What the customer said would make them stay",
        "phone": "Phone",
        "not_satisfied": "The customer is not satisfied with the answer that they got.",
        "ledger": "What was said so far ({zone})",
        "said_by": "{at}, {name}, to the customer",
        "said_by_owner": "{at}, {name}, who owns the complaint, to the customer",
        "said_by_customer": "{at}, the customer",
        "said_asked": "{at}, the customer, asked what would make them stay",
        "given": "{at}, given besides words",
        "promised": "{at}, promised ({reference}, {status})",
        "no": "(Not solved.)",
        "undelivered": "(has not reached the customer)",
    },
    "zh": {
        "redress": "给您的补偿",
        "promise": "对您的承诺",
        "promise_kept": "此承诺编号为 {reference}。若再次发生，您无需再次投诉，此事会直接回到承诺人那里。",
        "tell_again_subject": "投诉 {reference}：客户仍未得知答复（第 {times} 次提醒）",
        "tell_no_address": "没有可送达此答复的地址。",
        "tell_refused": "客户的邮件服务器拒收了此答复。",
        "tell_came_back": "此答复已发给客户但被退回，客户没有读到。",
        "yours_came_back": "带有您答复的邮件未能到达客户：对方服务器拒收或退回。请亲自告知客户，并询问问题是否解决。",
        "tell_ask": "您负责此投诉：请亲自告知客户，并在系统中确认已告知，写明客户的回应。在此之前视为尚未答复客户。",
        "tell_since": "请您告知的时间：{at}。",
        "untold_subject": "投诉 {reference}：答复未能到达客户（第 {times} 次提醒）",
        "untold": "主管已答复此客户，但邮件无法送达。已于 {at} 请 {owner} 亲自告知客户，至今未确认已告知。",
        "untold_unowned": "主管已答复此客户，但自 {at} 起邮件无法送达，且此投诉无人负责，没有人可以告知客户。",
        "untold_more": "其间又有新的情况，客户得知此答复后将立即转给高管：",
        "untold_ask": "请确保客户得知以下答复。",
        "words_of": "{name} 的答复",
        "stay": "客户说怎样才愿意留下",
        "phone": "电话",
        "not_satisfied": "客户对得到的答复不满意。",
        "ledger": "此前各方说过的话（{zone}）",
        "said_by": "{at}，{name} 对客户说",
        "said_by_owner": "{at}，负责人 {name} 对客户说",
        "said_by_customer": "{at}，客户说",
        "said_asked": "{at}，问及怎样才愿意留下，客户说",
        "given": "{at}，除话语外给予",
        "promised": "{at}，承诺（{reference}，{status}）",
        "no": "（没有解决。）",
        "undelivered": "（未送达客户）",
    },
}


def told(language: str, name: str, /, **values: Any) -> str:
    """One of these sentences."""
    return sentence(TOLD, language, name, **values)
