"""Wiring of escalation, top to bottom: python -m services.escalation [--only api|consumer|relay|timers|mail|feed]."""

from __future__ import annotations

from services.escalation import feed
from services.escalation.api import Desk, routes
from services.escalation.handlers import REGISTRY, when
from services.escalation.mail import MailRoom, Words
from services.escalation.mail.post import post_of
from services.escalation.mail.room import BELL
from services.escalation.mail.writing import Writing
from services.escalation.settings import Settings
from services.escalation.store import Book, EscalationStore
from services.escalation.web import executive_page, supervisor_page
from shared.assembly import Assembly, Machinery
from shared.clock import Clock
from shared.contracts.envelope import topic_of
from shared.policy import Policies
from shared.runner import Loop


def assemble(settings: Settings, clock: Clock, policies: Policies, parts: frozenset[str]) -> Assembly:
    """What escalation brings into a process."""
    machinery: Machinery[Book] = Machinery(
        "escalation",
        settings,
        clock,
        EscalationStore(policies),
        parts,
        topics=[topic_of("intake"), topic_of("ownership")],
        registry=REGISTRY,
        when=when,
    )
    if "feed" in parts:
        bell = machinery.bell(feed.UNNUMBERED)
        machinery.led_loop("escalation.feed", feed.WRITER_KEY, feed.number_once, tick=1.0, bell=bell)
    if "mail" in parts:
        room = MailRoom(machinery.engine, machinery.corridor.take, policies, settings, clock, post=post_of(settings))
        machinery.loops.append(Loop("escalation.mail", room.run_once, tick=0.5, bell=machinery.bell(BELL)))
        machinery.on_stop.append(room.stop)
    if "api" not in parts:
        return machinery.assembly()
    hub = feed.Hub(machinery.engine, machinery.bell(feed.NUMBERED))
    desk = Desk(machinery.corridor, machinery.engine, policies, hub)
    words = Words(settings, clock)
    writing = Writing(machinery.engine, policies, words, settings.secret_key.get_secret_value(), settings.base_url)
    machinery.on_stop.append(words.close)
    assembly = machinery.assembly([*routes(desk), executive_page(desk, writing), supervisor_page(desk)])
    assembly.background.append(hub.run)
    return assembly


def main() -> None:
    """Serves escalation alone."""
    from services.__main__ import main as command_line

    command_line(["serve", "escalation"])


if __name__ == "__main__":
    main()
