"""`signals`: what is heard in a text and why, and how well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.local.trouble import Trouble

if TYPE_CHECKING:
    from services.intake.listening import Ears

app = typer.Typer(help="What is heard in what customers say.", no_args_is_help=True)
JsonWanted = Annotated[bool, typer.Option("--json", help="for machines")]


def _ears() -> Ears:
    from services.command.policy import _policy_of
    from services.intake.listening import Ears
    from shared.policy import Policies

    return Ears(Policies.single(_policy_of(None)[1]))


@app.command()
def explain(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what a customer wrote; - reads standard input")],
    subject: Annotated[str, typer.Option()] = "",
    locale: Annotated[str | None, typer.Option(help="like zh-CN")] = None,
    as_json: JsonWanted = False,
) -> None:
    """Say what is heard in a text under the policy in force, and which cues, guards and words spoke. Keeps nothing."""
    import sys

    import orjson

    words = sys.stdin.read() if text == "-" else text
    found = _ears().hearing.explain(words, subject=subject, locale=locale)
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    heard = found["signals"]
    typer.echo(f"language  {found['language'] or 'unknown'}   rules {found['version']}")
    for name in ("complaint", "departure_threat", "repeat", "cause"):
        one = getattr(heard, name)
        value = {True: "yes", False: "no", None: "unknown"}.get(one.value, one.value)
        tier = f" ({one.tier})" if getattr(one, "tier", None) else ""
        typer.echo(f"{name:<17} {value}{tier}  {one.score:.2f}  {'; '.join(one.because)}")
    if heard.cause.candidates:
        typer.echo("causes            " + ", ".join(f"{code} {score:.2f}" for code, score in heard.cause.candidates))
    for one in found["sentences"]:
        start, end = one["at"]
        typer.echo(f'{one["matter"]}: "{words[max(0, start) : max(0, end)]}" {one["points"]:+.1f} points')
        for kind, rules in (("cue", one["cues"]), ("guard", one["guards"])):
            for rule in rules:
                typer.echo(f"  {kind} {rule['name']} ({rule['points']:+.1f}): {rule['says']}")
        for name in one["taken away"]:
            typer.echo(f"  cue {name}: taken away by a guard")


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="labelled texts as JSON lines, see the README")],
) -> None:
    """Say how well it hears, as one line of JSON for each figure; the texts are read and nowhere kept."""
    import json

    from services.intake.signals.evaluate import evaluate as figures

    if not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.")
    for one in figures(folder, _ears().hearing):
        typer.echo(json.dumps(one, ensure_ascii=False))
