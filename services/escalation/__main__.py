"""Wiring of escalation, top to bottom: python -m services.escalation [--only api|consumer|relay|timers|mail|feed]."""

from __future__ import annotations

from services.escalation import feed
from services.escalation.api import Desk, routes
from services.escalation.handlers import REGISTRY, when
from services.escalation.settings import Settings
from services.escalation.store import Book, EscalationStore
from shared.assembly import Assembly, Machinery
from shared.clock import Clock
from shared.contracts.envelope import topic_of
from shared.policy import Policies


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
    if "api" not in parts:
        return machinery.assembly()
    hub = feed.Hub(machinery.engine, machinery.bell(feed.NUMBERED))
    desk = Desk(machinery.corridor, machinery.engine, policies, hub)
    assembly = machinery.assembly(routes(desk))
    assembly.background.append(hub.run)
    return assembly


def main() -> None:
    """Serves escalation alone."""
    from services.__main__ import main as command_line

    command_line(["serve", "escalation"])


if __name__ == "__main__":
    main()
