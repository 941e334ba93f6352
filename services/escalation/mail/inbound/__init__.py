"""Mail that comes in: executives' replies, bounces of what was sent, and robots' noise, told apart."""

from services.escalation.mail.inbound.address import Replies, replies_of
from services.escalation.mail.inbound.door import Door
from services.escalation.mail.inbound.room import InboundRoom

__all__ = ["Door", "InboundRoom", "Replies", "replies_of"]
