"""`signals`: what is heard in a text and why, and how well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.local.trouble import Trouble
from services.command import opinions
from services.command.policy import JsonWanted, policy_of

if TYPE_CHECKING:
    from services.intake.listening import Ears

app = typer.Typer(help="What is heard in what customers say.", no_args_is_help=True)
opinions.add_to(app)
#: contacts that are held against what people said of them
_MOST_LABELLED = 20_000


def _ears() -> Ears:
    from services.intake.listening import Ears
    from shared.policy import Policies

    return Ears(Policies.single(policy_of(None)[1]))


@app.command()
def explain(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what a customer wrote; - reads standard input")],
    subject: Annotated[str, typer.Option()] = "",
    locale: Annotated[str | None, typer.Option(help="like zh-CN")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="ask the endpoint for a second opinion too")] = False,
    as_json: JsonWanted = False,
) -> None:
    """Say what is heard in a text under the policy in force, and which cues, guards and words spoke. Keeps nothing."""
    import json
    import sys

    import orjson

    words = sys.stdin.read() if text == "-" else text
    ears = _ears()
    found = ears.hearing.explain(words, subject=subject, locale=locale)
    if ask:
        found["second_opinion"] = opinions.ask(words, [one.code for one in ears.policies.current.causes])
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
    for name, value in found.get("second_opinion", {}).items():
        typer.echo(f"{name:<17} {json.dumps(value, ensure_ascii=False)}")


@app.command()
def evaluate(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="labelled texts as JSON lines, see the README")
    ] = None,
) -> None:
    """Say how well it hears, as one line of JSON for each figure; the texts are read and nowhere kept.

    Without FOLDER: against what agents have corrected and callers have stated of the contacts that are there.
    """
    import json

    from services.command.database import on_database
    from services.intake.signals.evaluate import evaluate as figures
    from services.intake.signals.evaluate import said
    from services.intake.store.corrections import labelled

    if folder is not None and not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.")
    hearing = _ears().hearing
    kept = [] if folder is not None else on_database(lambda conn: labelled(conn, _MOST_LABELLED))
    for one in said(kept, hearing) if folder is None else figures(folder, hearing):
        typer.echo(json.dumps(one, ensure_ascii=False))


@app.command()
def learn(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines: contact_id, and cause or complaint")],
) -> None:
    """Keep what is known of contacts that are there, as if agents had corrected them; it is heard within a minute.

    A line is {"contact_id": …, "cause": …, "complaint": …, "departure_threat": …}; what is left out stays as it was.
    """
    from services.command.database import on_database
    from services.intake.store.corrections import correct
    from shared.clock import SystemClock

    if not file.is_file():
        raise Trouble(f"There is no file {file}.")
    causes = {one.code for one in _ears().policies.current.causes}
    now = SystemClock().now()
    rows = [
        {**_correction(line, number, causes), "at": now}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if line.strip()
    ]
    if rows:
        on_database(lambda conn: correct(conn, rows))
    typer.echo(f"{len(rows)} corrections kept")


def _correction(line: str, number: int, causes: set[str]) -> dict[str, object]:
    import json

    from services.intake.store.reading import is_id

    try:
        given = json.loads(line)
    except ValueError:
        given = None
    labels = ("cause", "complaint", "departure_threat")
    if not isinstance(given, dict) or not is_id(str(given.get("contact_id"))) or set(given) - {"contact_id", *labels}:
        raise Trouble(f"line {number}: is no object with contact_id and any of {', '.join(labels)}; nothing is kept")
    if not isinstance(given.get("cause"), str | None) or given.get("cause") not in {None, *causes}:
        raise Trouble(f"line {number}: the cause is none of the policy's; nothing is kept")
    if not all(isinstance(given.get(name), bool | None) for name in labels[1:]):
        raise Trouble(f"line {number}: complaint and departure_threat are true or false; nothing is kept")
    return {"contact_id": given["contact_id"], **{name: given.get(name) for name in labels}}
