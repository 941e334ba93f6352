"""Sentences of letters to those who help, stand in, or are to follow an owner; in both languages."""

from __future__ import annotations

from typing import Any, Final

from services.escalation.mail.plain import sentence

STAFF: Final[dict[str, dict[str, str]]] = {
    "en": {
        "question": "{name} asks you something about this complaint:",
        "question_again": "{name} is still waiting for your answer about this complaint:",
        "question_by": "Please answer in your tool by {due}; after that the question goes back unanswered.",
        "one_face": "The customer keeps their one contact: please answer your colleague, not the customer.",
        "unanswered": "{name} has not answered your question in time. It is yours again:",
        "deputy": "{name} cannot act at the moment: you stand in for them until {due}.",
        "deputy_stays": "{name} stays the owner. What you do is shown as done on their behalf.",
        "succession_named": "you are asked to follow {name} as owner of this complaint. It becomes yours when you "
        "accept in your tool, and not before.",
        "succession_open": "{name}, who owns this complaint, is inactive. It stays theirs until you name somebody who "
        "accepts to follow them.",
        "succession_by": "Please decide by {due}; after that it goes to an executive.",
    },
    "zh": {
        "question": "{name} 就这项投诉向您提问：",
        "question_again": "{name} 仍在等待您就这项投诉的答复：",
        "question_by": "请在 {due} 前在您的工具中答复；逾期问题将退回提问人。",
        "one_face": "客户只由一人联系：请答复您的同事，不要直接联系客户。",
        "unanswered": "{name} 没有按时回答您的问题，请您自行跟进：",
        "deputy": "{name} 目前无法处理：请您代理至 {due}。",
        "deputy_stays": "负责人仍是 {name}。您所做的会标明是代其处理。",
        "succession_named": "请您接替 {name} 负责这项投诉。您在工具中接受之后才由您负责。",
        "succession_open": "这项投诉的负责人 {name} 已停用。在您指定的接任者接受之前，负责人不变。",
        "succession_by": "请在 {due} 前决定；逾期将上报高管。",
    },
}


def staff(language: str, name: str, /, **values: Any) -> str:
    """One of these sentences."""
    return sentence(STAFF, language, name, **values)
