"""Every sentence of the executive's page that is not in the mail too."""

from __future__ import annotations

from typing import Final

from services.escalation.canned import COURTESY_ALONE, NAMES_DO_NOT_COUNT, UNFILLED
from services.escalation.domain.answering import NO_WORDS

PAGE: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Answer a customer",
        "to_answer": "To your answer",
        "hello": "A customer needs an answer from you, {name}.",
        "due": "Please by",
        "your_answer": "Your answer to the customer",
        "your_answer_hint": "It goes to them as you write it.",
        "stay": "What would make them stay?",
        "stay_hint": "Ask the customer, and write down what they said.",
        "redress": "What the customer gets besides words (optional)",
        "redress_hint": "It goes to them with your answer.",
        "promise": "A promise that it will not happen again (optional)",
        "promise_hint": "It is recorded, and watched for this cause:",
        "apology": "This is an apology.",
        "code": "The code from the mail",
        "send": "Send to the customer",
        "sent": "Thank you. Your words are on their way to the customer.",
        "answered": "This has been answered.",
        "wrong": "This is not the code from the mail. What you typed is still here.",
        "too_many": "Too many wrong codes. Please try again in an hour; what you typed is still here.",
        "too_long": "One of the texts is too long.",
        "canned-answer": "This reads like a form letter, and is not sent.",
        "stay-question-missing": "The customer may leave: please ask what would make them stay, and write it down.",
        "already-answered": "Somebody has answered meanwhile.",
        "promise-without-cause": "The complaint has no cause yet that a promise could be watched for. Please send the "
        "answer without one.",
        "other": "This could not be taken.",
        "likeness": "Likeness to an earlier answer:",
        "earlier": "The earlier answer, to another customer (# stands for names, dates and numbers)",
        "draft": "What you type is kept on this device until it is sent.",
        "gone": "This link is not valid, or no longer.",
        "gone_hint": "Please use the link of the latest mail about the complaint.",
        "away": "The customer's words can't be shown for the moment.",
        "away_hint": "Please open the link again in a minute. Nothing is lost.",
    },
    "zh": {
        "title": "答复客户",
        "to_answer": "去写答复",
        "hello": "{name}，有一位客户需要您本人的答复。",
        "due": "期限",
        "your_answer": "您给客户的答复",
        "your_answer_hint": "将原样送达客户。",
        "stay": "怎样客户才愿意留下？",
        "stay_hint": "请询问客户，并写下客户的回答。",
        "redress": "给客户的补偿（可不填）",
        "redress_hint": "将随您的答复一起送达客户。",
        "promise": "不再发生的承诺（可不填）",
        "promise_hint": "承诺会被记录，并就此原因持续观察：",
        "apology": "这是一次道歉。",
        "code": "邮件中的验证码",
        "send": "发送给客户",
        "sent": "谢谢，您的话正在送达客户。",
        "answered": "此投诉已有答复。",
        "wrong": "验证码与邮件中的不符。您写的内容仍在。",
        "too_many": "验证码错误次数过多，请一小时后再试；您写的内容仍在。",
        "too_long": "文字过长。",
        "canned-answer": "这像是一封套话，不会发送。",
        "stay-question-missing": "客户可能离开：请询问怎样才愿意留下，并写下回答。",
        "already-answered": "其间已有人答复。",
        "promise-without-cause": "此投诉尚无原因可供观察承诺，请先不填承诺。",
        "other": "未能受理。",
        "likeness": "与此前答复的相似度：",
        "earlier": "此前给另一位客户的答复（# 代表姓名、日期和数字）",
        "draft": "您输入的内容会保存在本设备上，直到发送。",
        "gone": "此链接无效或已过期。",
        "gone_hint": "请使用关于此投诉的最新邮件中的链接。",
        "away": "暂时无法显示客户的原话。",
        "away_hint": "请稍后再打开链接，内容不会丢失。",
    },
}

#: reasons against an answer, as `services.escalation.canned` gives them; how much is alike has a line of its own
BECAUSE: Final[dict[str, dict[str, str]]] = {
    "en": {one: one for one in (COURTESY_ALONE, NAMES_DO_NOT_COUNT, UNFILLED, NO_WORDS)},
    "zh": {
        COURTESY_ALONE: "通篇是客套话，没有一句与这位客户的事有关",
        NO_WORDS: "没有任何文字",
        UNFILLED: "还有待填写的空位，这是模板",
        NAMES_DO_NOT_COUNT: "更换姓名、日期和数字不算自己的话",
    },
}
