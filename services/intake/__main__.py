"""Wiring of intake, top to bottom: python -m services.intake."""

from __future__ import annotations

from services.intake.api import Desk, routers
from services.intake.listening import Ears
from services.intake.settings import Settings
from services.intake.store import Book, IntakeStore
from shared.assembly import Assembly, Machinery
from shared.clock import Clock
from shared.policy import Policies


def assemble(settings: Settings, clock: Clock, policies: Policies, parts: frozenset[str]) -> Assembly:
    """What intake brings into a process. It has no deadlines and reads no topic: everything comes in by HTTP."""
    ears = Ears(policies)
    machinery: Machinery[Book] = Machinery("intake", settings, clock, IntakeStore(ears), parts)
    if "api" not in parts:
        return machinery.assembly()
    return machinery.assembly(routers(Desk(machinery.engine, machinery.corridor, machinery.group, clock, ears)))


def main() -> None:
    """Serves intake alone."""
    from services.__main__ import main as command_line

    command_line(["serve", "intake"])


if __name__ == "__main__":
    main()
