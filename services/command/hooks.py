"""`hooks`: where contact-center tools send to. An endpoint works within a second of being added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.local.trouble import Trouble

if TYPE_CHECKING:
    from services.intake.adapters.pieces.shape import Adapter, Endpoint

app = typer.Typer(help="Native webhooks of contact-center tools.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="for machines")]
_ID = "letters, digits, dots, dashes and underscores"


def _settings() -> Any:
    from services.command.settings import HookSettings
    from shared.settings import load

    return load(HookSettings)


def _on_database(settings: Any, work: Any) -> Any:
    """Runs `work(conn)` in one transaction, as intake."""
    import asyncio

    from services.command.database import in_transaction

    return asyncio.run(in_transaction(settings, work, name="complaint-loop-hooks", service="intake", whole_tables=True))


def _adapter(tool: str) -> Adapter:
    from services.intake.adapters import TOOLS

    if tool not in TOOLS:
        raise typer.BadParameter(f"tools: {', '.join(sorted(TOOLS))}", param_hint="TOOL")
    return TOOLS[tool]


def _url_of(settings: Any, tool: str, endpoint_id: str) -> str:
    return f"{settings.url_of('intake')}/v1/hooks/{tool}/{endpoint_id}"


def _options(adapter: Adapter, given: list[str]) -> dict[str, str]:
    known = {**_COMMON_OPTIONS, **adapter.options}
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not value or name not in known:
            named = "\n".join(f"  {name}: {meaning}" for name, meaning in known.items())
            raise typer.BadParameter(f"is written NAME=VALUE; {adapter.tool} knows\n{named}", param_hint="--option")
        found[name] = value
    if (fault := adapter.options_fault(found)) is not None:
        raise typer.BadParameter(fault, param_hint="--option")
    return found


#: what every endpoint may be given
_COMMON_OPTIONS: Mapping[str, str] = {
    "prefix": "goes before all ids of this endpoint, where two tools or two accounts number their people alike",
    "api_url": "where the tool's API is asked for what a delivery leaves out",
    "api_token": "the credential for it (kept encrypted)",
}


@app.command()
def add(
    tool: Annotated[str, typer.Argument(help="zendesk, chatwoot, …: `hooks tools` names them")],
    endpoint: Annotated[str, typer.Option(metavar="ID", help="its name in the URL")],
    secret: Annotated[str, typer.Option(help="what the tool signs with, or carries")],
    url: Annotated[
        str | None, typer.Option(metavar="PUBLIC_URL", help="what the tool calls, where that is not what arrives here")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="may be repeated")] = None,
    as_json: Json = False,
) -> None:
    """Add an endpoint, or change one, and print what to enter in the tool."""
    import json
    import re
    from urllib.parse import urlsplit

    from services.intake.adapters.pieces.shape import Endpoint
    from services.intake.hooks.switchboard import sealed_row
    from services.intake.store import deliveries as kept
    from shared.clock import SystemClock

    adapter = _adapter(tool)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", endpoint):
        raise typer.BadParameter(f"has {_ID}, at most 100", param_hint="--endpoint")
    if not secret.strip():
        raise typer.BadParameter("must not be empty", param_hint="--secret")
    if (fault := adapter.secret_fault(secret)) is not None:
        raise typer.BadParameter(fault, param_hint="--secret")
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise typer.BadParameter("begins with https:// or http://", param_hint="--url")
    new = Endpoint(tool, endpoint, secret, url.partition("?")[0] if url else None, _options(adapter, option or []))
    settings = _settings()
    now = SystemClock().now()

    async def write(conn: Any) -> Any:
        await kept.set_endpoint(conn, sealed_row(new, settings.secret_key.get_secret_value()), now)
        await kept.wake_thin(conn, tool, endpoint, now)
        return await kept.all_endpoints(conn)

    others = [row for row in _on_database(settings, write) if (row.tool, row.id) != (tool, endpoint)]
    address = new.url or _url_of(settings, tool, endpoint)
    paste = adapter.paste.format(url=address, secret=secret)
    if as_json:
        typer.echo(json.dumps({"tool": tool, "endpoint": endpoint, "url": address, "paste": paste}))
        return
    typer.echo(paste)
    if others and not new.option("prefix"):
        typer.echo(
            "\nThere are other endpoints: if customers or staff of two of them can have the same id, give each an"
            " --option prefix=… of its own.",
            err=True,
        )


@app.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """List the endpoints, without their secrets, and what has become of what they sent."""
    import json

    from services.intake.store import deliveries as kept

    settings = _settings()

    async def read(conn: Any) -> Any:
        return await kept.all_endpoints(conn), await kept.fates(conn)

    rows, fates = _on_database(settings, read)
    listed = [
        {
            "tool": row.tool,
            "endpoint": row.id,
            "url": row.url or _url_of(settings, row.tool, row.id),
            "options": row.options,
            "deliveries": fates.get((row.tool, row.id), {}),
        }
        for row in rows
    ]
    if as_json:
        typer.echo(json.dumps({"items": listed}))
    elif not listed:
        typer.echo("There are no endpoints: `complaint-loop hooks add TOOL --endpoint ID --secret SECRET`.")
    for one in [] if as_json else listed:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(one["deliveries"].items())) or "nothing yet"
        typer.echo(f"{one['tool']:<18} {one['endpoint']:<20} {one['url']}  ({counts})")


@app.command()
def tools() -> None:
    """Name the tools that are understood, and their options."""
    from services.intake.adapters import TOOLS

    for name, adapter in sorted(TOOLS.items()):
        typer.echo(name)
        for option, meaning in {**_COMMON_OPTIONS, **adapter.options}.items():
            typer.echo(f"  --option {option}=…  {meaning}")


@app.command()
def test(
    which: Annotated[str, typer.Argument(metavar="TOOL|ENDPOINT", help="one endpoint, or all of a tool")],
    as_json: Json = False,
) -> None:
    """Send each endpoint a delivery that means nothing, signed as the tool would, and tell what came back."""
    import json

    from services.intake.hooks.sealed import UnreadableSecret
    from services.intake.hooks.switchboard import endpoint_of
    from services.intake.store import deliveries as kept

    settings = _settings()
    rows = [row for row in _on_database(settings, kept.all_endpoints) if which in (row.tool, row.id)]
    if not rows:
        raise Trouble(f"There is no endpoint or tool {which!r} here: `complaint-loop hooks list` shows them.")
    try:
        endpoints = [endpoint_of(row, settings.secret_key.get_secret_value()) for row in rows]
    except UnreadableSecret:
        raise Trouble("It was added under another SECRET_KEY: add it again.") from None
    told = [_tested(settings, one) for one in endpoints]
    if as_json:
        typer.echo(json.dumps({"items": told}))
    for one in [] if as_json else told:
        typer.echo(f"{one['tool']}/{one['endpoint']}: {one['answer']}")
    if not all(one["works"] for one in told):
        raise typer.Exit(1)


def _tested(settings: Any, endpoint: Endpoint) -> dict[str, Any]:
    from dataclasses import replace

    import httpx

    from shared.clock import SystemClock

    adapter = _adapter(endpoint.tool)
    address = _url_of(settings, endpoint.tool, endpoint.id)
    probe = adapter.probe
    signing = replace(endpoint, url=endpoint.url or address)
    headers = dict(adapter.sign(probe, signing, SystemClock().now()))
    query = headers.pop("?", "")
    answer = httpx.post(
        f"{address}?{query}" if query else address,
        content=probe,
        headers={"content-type": adapter.probe_type, **headers},
        timeout=10,
    )
    works = answer.is_success
    said = "works: signature taken, delivery kept" if works else f"refused with {answer.status_code}: {answer.text}"
    return {
        "tool": endpoint.tool,
        "endpoint": endpoint.id,
        "works": works,
        "status": answer.status_code,
        "answer": said,
    }
