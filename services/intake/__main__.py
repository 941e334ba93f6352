"""Wiring of intake, top to bottom: python -m services.intake."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import Any, cast

from services.intake.api import Desk, HookDoor, routers
from services.intake.handlers import CORRECTED, DOUBTED, ERASED, MERGED, REGISTRY
from services.intake.hooks.asking import AskingLoop
from services.intake.hooks.forgetting import Forgetting
from services.intake.hooks.ordering import Ordering
from services.intake.hooks.receiving import Shelf
from services.intake.hooks.switchboard import Switchboard
from services.intake.hooks.understanding import Understanding
from services.intake.learning import Learning
from services.intake.listening import Ears
from services.intake.merging import Merging
from services.intake.opinion.adviser import Adviser
from services.intake.opinion.doubts import HalfHeard
from services.intake.opinion.seeking import SecondOpinions
from services.intake.retention import Complaints, OldWords
from services.intake.settings import Settings
from services.intake.store import Book, IntakeStore
from services.intake.store.aging import WORDS
from shared.assembly import Assembly, Machinery
from shared.clock import Clock
from shared.contracts.envelope import topic_of
from shared.group import GroupCommit
from shared.outbox import Bell, lock_number
from shared.policy import Policies
from shared.retention import Own
from shared.runner import Loop

#: seconds between two looks at what tools have sent
_TICK = 0.2


def assemble(settings: Settings, clock: Clock, policies: Policies, parts: frozenset[str]) -> Assembly:
    """What intake brings into a process. It has no deadlines; of ownership's topic it reads what agents correct."""
    ears = Ears(policies)
    _ = ears.hearing  # rules of the policy that cannot be used end the start, not the first contact
    machinery: Machinery[Book] = Machinery(
        "intake", settings, clock, IntakeStore(ears), parts, topics=[topic_of("ownership")], registry=REGISTRY
    )
    seconds = settings.hook_tolerance_seconds
    switchboard = Switchboard(
        machinery.engine,
        clock,
        settings.secret_key.get_secret_value(),
        None if seconds is None else timedelta(seconds=seconds),
    )
    if parts & {"api", "hooks"}:
        learning = Learning(machinery.engine, ears)
        machinery.loops.append(Loop("intake.learning", learning.run_once, tick=30, bell=machinery.bell(CORRECTED)))
    if "hooks" in parts:
        understanding = Understanding(clock, switchboard)
        ordering = Ordering(machinery.corridor, clock, ears)
        asking = AskingLoop(clock, switchboard)
        machinery.on_stop.append(asking.stop)
        for name, work in (
            ("understanding", understanding.run_once),
            ("ordering", ordering.run_once),
            ("asking", asking.run_once),
        ):
            machinery.led_loop(f"intake.{name}", lock_number("intake", name), work, tick=_TICK, bell=Bell())
        forgetting = lock_number("intake", "forgetting")
        bell = machinery.bell(ERASED)
        machinery.led_loop("intake.forgetting", forgetting, Forgetting(switchboard).run_once, tick=600, bell=bell)
    if settings.opinion_url is not None:
        ears.doubts = HalfHeard(policies)
        if "timers" in parts:
            adviser = Adviser(settings)
            machinery.on_stop.append(adviser.stop)
            seeking = SecondOpinions(machinery.corridor, clock, policies, adviser, settings)
            bell = machinery.bell(DOUBTED)
            key = lock_number("intake", "opinions")
            machinery.led_loop("intake.opinions", key, seeking.run_once, tick=5, bell=bell)
    if "timers" in parts:
        merging = Merging(machinery.corridor)
        machinery.loops.append(Loop("intake.merging", merging.run_once, tick=5, bell=machinery.bell(MERGED)))
        complaints = Complaints(settings.url_of("ownership"), settings.secret_key.get_secret_value(), clock)
        machinery.on_stop.append(complaints.stop)
        machinery.retain(policies, [Own(OldWords(machinery.engine, clock, complaints.needed).forget), *WORDS])
    if "api" not in parts:
        return machinery.assembly()
    desk = Desk(machinery.engine, machinery.corridor, machinery.group, clock, ears)
    shelf: GroupCommit[Any] = GroupCommit(cast(Any, Shelf(machinery.engine)), whose=itemgetter("identity"))
    return machinery.assembly(routers(desk, HookDoor(switchboard, shelf, clock, settings.base_url)))


def main() -> None:
    """Serves intake alone."""
    from services.__main__ import main as command_line

    command_line(["serve", "intake"])


if __name__ == "__main__":
    main()
