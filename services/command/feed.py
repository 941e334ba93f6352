"""`feed`: what happens, in a terminal."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def feed(
        after: Annotated[int | None, typer.Option(min=0, help="from this position on; 0 is the beginning")] = None,
        type_: Annotated[list[str] | None, typer.Option("--type", help="e.g. promise.broken; may be repeated")] = None,
        level: Annotated[int | None, typer.Option(help="of the escalation")] = None,
        owner_id: Annotated[str | None, typer.Option("--owner", help="the owner of the complaint")] = None,
        region: Annotated[str | None, typer.Option(help="of the complaint")] = None,
        limit: Annotated[int | None, typer.Option(min=1, help="end after so many items")] = None,
        url: Annotated[str | None, typer.Option(help="where the services are")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, for machines")] = False,
    ) -> None:
        """Follow the feed; it joins again by itself after an interruption, without a gap or a repeat.

        Without --after it begins now. The key is COMPLAINT_LOOP_KEY, else that of a running `make run`.
        """
        import httpx
        import orjson

        from services.command.reach import base_url, key_of
        from services.command.sse import items

        filters = {"type": type_, "level": level, "owner_id": owner_id, "region": region}
        params = {name: value for name, value in filters.items() if value not in (None, [])}
        headers = {"Authorization": f"Bearer {key_of('supervisor')}"}
        with httpx.Client(base_url=base_url(url), headers=headers) as client:
            begin = after if after is not None else newest(client)
            for count, item in enumerate(items(client, "/v1/feed/stream", params, begin), 1):
                typer.echo(orjson.dumps(item).decode() if as_json else line_of(item))
                if count == limit:
                    return


def newest(client: Any) -> int:
    """The position of the last item there is: where a page that nothing fits goes on from."""
    from deploy.local.trouble import Trouble

    answer = client.get("/v1/feed", params={"after": 0, "limit": 1, "type": "nothing"})
    if answer.status_code != 200:
        raise Trouble(f"The feed cannot be read ({answer.status_code}): {answer.json().get('detail', '')}")
    return int(answer.json()["next"])


def line_of(item: dict[str, Any]) -> str:
    """One item as a line for people: when, what, about which complaint, and what matters of it."""
    data: dict[str, Any] = {name: item.get(name) for name in ("level", "owner_id", "region")} | (item.get("data") or {})
    told = [f"{name}={data[name]}" for name in _TELLING if data.get(name) is not None]
    about = item.get("reference") or data.get("reference") or ""
    return f"{item['position']:>6}  {item['at']}  {item['type']:<32} {about:<10} {' '.join(told)}".rstrip()


_TELLING = (
    "status",
    "kind",
    "percent",
    "level",
    "reason",
    "executive_id",
    "owner_id",
    "agent_id",
    "cause",
    "basis",
    "satisfied",
    "would_choose_again",
    "into_id",
    "from_id",
    "cycle",
    "due_at",
    "nothing_changes",
    "region",
)
