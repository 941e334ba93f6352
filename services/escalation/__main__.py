"""Wiring of escalation, top to bottom: python -m services.escalation [--only PART].

Parts: api, consumer, relay, timers, mail, inbound, feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from services.escalation import feed
from services.escalation.api import Desk, routes
from services.escalation.handlers import REGISTRY, when
from services.escalation.mail import MailRoom, Words
from services.escalation.mail.gathering import Gathering
from services.escalation.mail.inbound import Door, InboundRoom, replies_of
from services.escalation.mail.post import post_of
from services.escalation.mail.room import BELL
from services.escalation.settings import Settings
from services.escalation.store import Book, EscalationStore
from services.escalation.store.aging import WORDS
from services.escalation.store.arrivals import ARRIVED
from services.escalation.web import executive_page, supervisor_page
from shared.assembly import Assembly, Machinery
from shared.clock import Clock
from shared.contracts.envelope import topic_of
from shared.policy import Policies
from shared.runner import Loop

Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


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
        room = MailRoom(
            machinery.engine,
            machinery.corridor.take,
            policies,
            settings,
            clock,
            post=post_of(settings),
            replies=replies_of(settings),
        )
        machinery.loops.append(Loop("escalation.mail", room.run_once, tick=0.5, bell=machinery.bell(BELL)))
        machinery.loops.append(Loop("escalation.mail_forget", room.forget_old, tick=3600))
        machinery.on_stop.append(room.stop)
    if "timers" in parts:
        machinery.retain(policies, WORDS)
    if not parts & {"api", "inbound"}:
        return machinery.assembly()
    hub = feed.Hub(machinery.engine, machinery.bell(feed.NUMBERED))
    desk = Desk(machinery.corridor, machinery.engine, policies, hub)
    listening = _inbound(machinery, settings, desk, clock) if "inbound" in parts else []
    if "api" not in parts:
        assembly = machinery.assembly()
        assembly.background += listening
        return assembly
    words = Words(settings, clock)
    machinery.on_stop.append(words.close)
    assembly = machinery.assembly(
        [*routes(desk), executive_page(desk, Gathering(machinery.engine, policies, words)), supervisor_page(desk)]
    )
    assembly.background += [hub.run, *listening]
    return assembly


def _inbound(machinery: Machinery[Book], settings: Settings, desk: Desk, clock: Clock) -> list[Background]:
    """Takes replies and bounces by mail, where a setting says where."""
    replies = replies_of(settings)
    if replies is None or settings.inbound_listen is None:
        return []
    host = settings.inbound_authserv_id or ""
    room = InboundRoom(machinery.engine, machinery.corridor.take, desk.alike, desk.policies, host, clock)
    machinery.loops += [
        Loop("escalation.inbound", room.run_once, tick=1.0, bell=machinery.bell(ARRIVED)),
        Loop("escalation.inbound_forget", room.forget_old, tick=3600),
    ]
    return [Door(settings.inbound_listen, replies, machinery.engine, clock).run]


def main() -> None:
    """Serves escalation alone."""
    from services.__main__ import main as command_line

    command_line(["serve", "escalation"])


if __name__ == "__main__":
    main()
