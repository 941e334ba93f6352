"""`policy`: the policy file, checked and shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.local.trouble import Trouble

if TYPE_CHECKING:
    from shared.policy import Policy

app = typer.Typer(help="The policy file: clocks, ladder, executives.", no_args_is_help=True)
JsonWanted = Annotated[bool, typer.Option("--json", help="for machines")]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the policy file")],
    as_json: JsonWanted = False,
) -> None:
    """Check a policy file; every mistake is named with its line, and the exit code is 2 where there is one."""
    import json

    from shared.policy import PolicyError, load_policy

    doubts: list[tuple[int, str]] = []
    if not file.is_file():
        raise Trouble(f"There is no file {file}.")
    mistakes: list[tuple[int, str]] = []
    version = None
    try:
        policy = load_policy(file)
        version, doubts = policy.version, policy.doubts
        from services.intake.listening import rule_mistakes

        lines = policy.text.splitlines()
        for name, message in rule_mistakes(policy):
            line = next((at for at, one in reversed(list(enumerate(lines, 1))) if name in one), 1)
            mistakes.append((line, f"hearing: {name}: {message}"))
    except PolicyError as error:
        mistakes = list(error.mistakes)
    if as_json:
        told = {
            name: [{"line": line, "message": message} for line, message in found]
            for name, found in (("mistakes", mistakes), ("doubts", doubts))
        }
        typer.echo(json.dumps({"file": str(file), "version": version, **told}))
    elif mistakes:
        for line, message in mistakes:
            typer.echo(f"{file}:{line}: {message}", err=True)
    else:
        for line, message in doubts:
            typer.echo(f"{file}:{line}: is this meant? {message}", err=True)
        typer.echo(f"{file}: version {version}, no mistakes")
    if mistakes:
        raise typer.Exit(2)


@app.command()
def show(as_json: JsonWanted = False) -> None:
    """Show the policy that a start would load now."""
    import json

    path, policy = policy_of(None)
    if as_json:
        from shared.policy import show as shown

        typer.echo(json.dumps({"file": str(path), **shown(policy)}))
    else:
        typer.echo(f"# {path}, version {policy.version}, digest {policy.digest}")
        typer.echo(policy.text)


@app.command()
def explain(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="another policy file than the one set")] = None,
    complaint: Annotated[str | None, typer.Option(help="id or reference: how its own due times came about")] = None,
    what_if: Annotated[str | None, typer.Option(help="with --complaint: under this version instead")] = None,
    clock: Annotated[str | None, typer.Option(help="one kind of clock alone")] = None,
    tier: Annotated[str | None, typer.Option(help="of the customer")] = None,
    region: Annotated[str | None, typer.Option(help="of the customer")] = None,
    product: Annotated[str | None, typer.Option()] = None,
    cause: Annotated[str | None, typer.Option()] = None,
    need: Annotated[str | None, typer.Option()] = None,
    channel: Annotated[str | None, typer.Option()] = None,
    at: Annotated[str | None, typer.Option(help="when the customer spoke, like 2026-11-25T09:00:00Z; now")] = None,
    url: Annotated[str | None, typer.Option(help="with --complaint: where the services are")] = None,
    as_json: JsonWanted = False,
) -> None:
    """Say which terms a complaint would have, which entry gives them and why, and when they would be due.

    With --complaint it says the same of one that is there; --what-if names a version that is proposed or was in force.
    """
    from services.command.policy_explain import ask_service, show_terms, terms_explained
    from shared.policy import Facts

    if complaint is not None:
        if file is not None:
            raise typer.BadParameter("a complaint has its own version; propose the file, and name it with --what-if")
        show_terms(ask_service(complaint, clock, what_if, url), as_json)
        return
    if what_if is not None:
        raise typer.BadParameter("needs --complaint", param_hint="--what-if")
    _, policy = policy_of(file)
    facts = Facts(policy.tier(tier), policy.region(region), product, cause, need, channel)
    show_terms(terms_explained(policy, facts, _instant(at), clock), as_json)


@app.command("propose")
def propose_version(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the policy file")], as_json: JsonWanted = False
) -> None:
    """Keep a version that is not in force, so that `explain --what-if` can say what it would mean. It changes nothing.

    Proposed again under the same name it takes the place of the earlier one.
    """
    import json

    from services.command.database import on_database
    from shared.clock import SystemClock
    from shared.policy import propose

    _, policy = policy_of(file)
    if not on_database(lambda conn: propose(conn, policy, SystemClock().now())):
        raise Trouble(f"Version {policy.version} is or was in force with another content: give this one another name.")
    if as_json:
        typer.echo(json.dumps({"version": policy.version, "digest": policy.digest}))
    else:
        typer.echo(f"{file}: version {policy.version} may be asked about (--what-if {policy.version})")


def policy_of(file: Path | None) -> tuple[Path, Policy]:
    """A policy file and what it says: the one given, else the one that is set."""
    from services.command.settings import PolicySettings
    from shared.policy import load_policy
    from shared.settings import load

    path = file or load(PolicySettings).policy_file
    if not path.is_file():
        named = "There is no file" if file else "The policy file (COMPLAINT_LOOP_POLICY_FILE) is not there:"
        raise Trouble(f"{named} {path}.")
    return path, load_policy(path)


def _instant(text: str | None) -> datetime:
    from shared.clock import SystemClock

    try:
        at = SystemClock().now() if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("is no time like 2026-11-25T09:00:00Z", param_hint="--at") from None
    if at.tzinfo is None:
        raise typer.BadParameter("needs an offset, like 2026-11-25T09:00:00Z", param_hint="--at")
    return at
