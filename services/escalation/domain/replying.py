"""Mail that came in: an executive's reply, or a mail of ours that came back."""

from __future__ import annotations

from dataclasses import dataclass

from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.mail import MailOrder
from shared.refusal import Refusal

#: refusals of replies to one mail that are told; a program that answers each of them is not talked to for ever
MOST_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class ReplyCame:
    """A reply to one mail: what it answers with, or why it is none."""

    arrival_id: str
    order: MailOrder
    said: AnswerGiven | Refusal
    #: somebody else may have sent it: the person asked is told, but once
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class BounceCame:
    """A mail server says that it will never deliver one of our mails. `status` as in `5.1.1` (RFC 3463)."""

    arrival_id: str
    mail_id: str
    status: str
    #: a digest that came back is many of these: the last one settles it
    last: bool = True
