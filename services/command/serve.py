"""`serve`: one service, or all of them in one process."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Which(StrEnum):
    """What can be served."""

    intake = "intake"
    ownership = "ownership"
    escalation = "escalation"
    all = "all"


class Part(StrEnum):
    """What of a service runs in this process; `loops` is everything but the API."""

    api = "api"
    loops = "loops"
    relay = "relay"
    consumer = "consumer"
    timers = "timers"
    mail = "mail"
    inbound = "inbound"
    feed = "feed"
    hooks = "hooks"


_LOOPS = frozenset({"relay", "consumer", "timers", "mail", "inbound", "feed", "hooks"})
_COMMON = frozenset({"api", "relay", "consumer", "timers"})
#: parts that a service has none of are not its own
_OWN = {"intake": _COMMON | {"hooks"}, "escalation": _COMMON | {"mail", "inbound", "feed"}}


def parts_of(only: list[Part] | None) -> frozenset[str]:
    """All parts, or those that were named."""
    if not only:
        return frozenset({"api", *_LOOPS})
    named = {str(part) for part in only}
    return frozenset(named - {"loops"}) | (_LOOPS if "loops" in named else frozenset())


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def serve(
        service: Annotated[Which, typer.Argument(help="intake, ownership, escalation, or all in one process")],
        only: Annotated[
            list[Part] | None, typer.Option(help="a part alone; may be repeated. Without it: the API and all loops")
        ] = None,
    ) -> None:
        """Serve until SIGTERM or SIGINT."""
        services = ["intake", "ownership", "escalation"] if service is Which.all else [str(service)]
        _serve(services, parts_of(only))


def _serve(services: list[str], parts: frozenset[str]) -> None:
    from importlib import import_module

    from deploy.local.folder import check_port
    from services.command.settings import load_each, settings_of
    from shared.assembly import keyring, open_policies
    from shared.assembly import serve as serve_assemblies
    from shared.clock import SystemClock
    from shared.db import make_engine
    from shared.observe import configure_logging
    from shared.runner import Loop

    configure_logging("+".join(services) if len(services) < 3 else "all")
    modules = [import_module(f"services.{name}.__main__") for name in services]
    settings = load_each([settings_of(name) for name in services])
    if "api" in parts:
        check_port(settings[0].host, settings[0].port)
    clock = SystemClock()
    policies = open_policies(settings[0], clock)
    assemblies = [
        module.assemble(one, clock, policies, parts & _OWN.get(name, _COMMON))
        for name, module, one in zip(services, modules, settings, strict=True)
    ]
    engine = make_engine(settings[0].database_url, size=2, name="complaint-loop-keys")
    assemblies[0].on_stop.append(engine.dispose)
    # what was opened under a version that another process brought keeps its terms here too
    assemblies[0].loops.append(Loop("policies", lambda: policies.refresh(engine), tick=30))
    serve_assemblies(assemblies, settings[0], keyring(settings[0], clock, engine))
