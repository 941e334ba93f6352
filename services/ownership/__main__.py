"""Wiring of ownership, top to bottom: python -m services.ownership [--only api|consumer|relay|timers]."""

from __future__ import annotations

import argparse

import httpx

from services.ownership.api import Desk, Pages, routers
from services.ownership.handlers import EVENTS, due_input
from services.ownership.names import Names
from services.ownership.settings import Settings
from services.ownership.store import AGENTS_BELL, WORDS, Book, OwnershipStore, unclaimed
from shared.assembly import Assembly, Machinery, keyring, open_policies, serve
from shared.clock import Clock, SystemClock
from shared.contracts.envelope import topic_of
from shared.db import make_engine
from shared.observe import configure_logging
from shared.policy import Policies
from shared.runner import Loop
from shared.settings import load


def assemble(settings: Settings, clock: Clock, policies: Policies, parts: frozenset[str]) -> Assembly:
    """What ownership brings into a process."""
    machinery: Machinery[Book] = Machinery(
        "ownership",
        settings,
        clock,
        OwnershipStore(policies),
        parts,
        topics=[topic_of("intake"), topic_of("escalation")],
        registry=EVENTS,
        when=due_input,
    )
    secret = settings.secret_key.get_secret_value()
    if "timers" in parts:
        client = httpx.AsyncClient(base_url=settings.url_of("intake"), timeout=5)
        names = Names(machinery.engine, clock, client, secret)
        machinery.loops.append(Loop("ownership.names", names.run_once, tick=5.0, bell=machinery.bell(AGENTS_BELL)))
        machinery.on_stop.append(names.stop)
        machinery.retain(policies, [WORDS, unclaimed(clock)])
    if "api" not in parts:
        return machinery.assembly()
    pages = Pages(settings.base_url, secret, policies)
    return machinery.assembly(routers(Desk(machinery.engine, machinery.group, clock, pages)))


def main() -> None:
    """Serves ownership alone, or the parts of it that are named."""
    parts = ("api", "consumer", "relay", "timers")
    parser = argparse.ArgumentParser(prog="python -m services.ownership", description="Serves ownership alone.")
    parser.add_argument("--only", action="append", choices=parts, help="a part alone; may be repeated")
    only = parser.parse_args().only
    configure_logging("ownership")
    settings, clock = load(Settings), SystemClock()
    assembly = assemble(settings, clock, open_policies(settings, clock), frozenset(only or parts))
    engine = make_engine(settings.database_url, size=2, name="complaint-loop-keys")
    assembly.on_stop.append(engine.dispose)
    serve([assembly], settings, keyring(settings, clock, engine))


if __name__ == "__main__":
    main()
