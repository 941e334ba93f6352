"""`policy`: the policy file, checked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.local.trouble import Trouble

app = typer.Typer(help="The policy file: clocks, ladder, executives.", no_args_is_help=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the policy file")],
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
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
def show(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """Show the policy that a start would load now."""
    import json

    from services.command.settings import PolicySettings
    from shared.policy import load_policy
    from shared.settings import load

    path = load(PolicySettings).policy_file
    if not path.is_file():
        raise Trouble(f"The policy file is not there: {path} (COMPLAINT_LOOP_POLICY_FILE).")
    policy = load_policy(path)
    if as_json:
        from shared.policy import show as shown

        typer.echo(json.dumps({"file": str(path), **shown(policy)}))
    else:
        typer.echo(f"# {path}, version {policy.version}, digest {policy.digest}")
        typer.echo(policy.text)
