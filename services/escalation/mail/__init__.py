"""Mail: what is said to whom, how it looks, how it is sent. No decisions: those are made where mails are ordered."""

from services.escalation.mail.letter import Letter
from services.escalation.mail.post import Post, Sent
from services.escalation.mail.room import MailRoom
from services.escalation.mail.tokens import Link, link_of
from services.escalation.mail.words import Away, Words

__all__ = ["Away", "Letter", "Link", "MailRoom", "Post", "Sent", "Words", "link_of"]
