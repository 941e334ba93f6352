"""A file of contacts: what is read, what is told as bad, what is sent; nothing is lost, nothing out of order."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.trouble import Trouble
from services.command.import_contacts.mapping import RowError, instant, read_mapping
from services.command.import_contacts.play import Import
from services.command.import_contacts.rows import LONGEST, Counted, Row, rows_of
from services.command.import_contacts.sending import Sender, Totals

LOAD = {
    "id": "LC-1",
    "t": 90,
    "customer": "C1",
    "customer_basis": "source",
    "channel": "web_form",
    "lang": "other",
    "text": "hello",
    "source": "somewhere",
    "license": "CC0",
}


def read(content: bytes, *, is_csv: bool = False) -> list[Row]:
    return list(rows_of(Counted(io.BytesIO(content)), is_csv=is_csv))  # type: ignore[arg-type]


def test_json_rows_are_told_apart_from_what_is_none() -> None:
    rows = read(b'\xef\xbb\xbf{"a": 1}\n\n[1]\nnot json\n{"b": "\xff"}\n{"c": 3}')
    assert [(row.number, row.data) for row in rows] == [(1, {"a": 1}), (3, None), (4, None), (5, None), (6, {"c": 3})]
    assert rows[1].wrong == "not a JSON object"


def test_a_line_without_an_end_is_skipped_not_read_into_memory() -> None:
    rows = read(b'{"a": "' + b"x" * (3 * LONGEST) + b'"}\n{"b": 2}\n')
    assert rows[0].data is None and "longer than" in str(rows[0].wrong)
    assert rows[1] == Row(2, {"b": 2})


def test_csv_columns_go_inside_and_empty_cells_say_nothing() -> None:
    rows = read(
        'source,source_event_id,customer.id,customer.name,complaint,text\ns,1,c-1,李伟,true,"two\nlines, one cell"\n'
        "s,2,c-2,,,\n".encode(),
        is_csv=True,
    )
    assert rows[0].data == {
        "source": "s",
        "source_event_id": "1",
        "customer": {"id": "c-1", "name": "李伟"},
        "complaint": True,
        "text": "two\nlines, one cell",
    }
    assert rows[1] == Row(3, {"source": "s", "source_event_id": "2", "customer": {"id": "c-2"}})


def test_csv_of_a_spreadsheet_with_semicolons_and_bad_rows() -> None:
    rows = read(b"\xef\xbb\xbfsource;text\na;b\na;b;c\n\xff;x\n;\nlast;one\n", is_csv=True)
    assert [(row.number, row.data is not None) for row in rows] == [(2, True), (3, False), (4, False), (6, True)]
    assert "3 columns" in str(rows[1].wrong) and rows[2].wrong == "not UTF-8"


def test_a_csv_in_another_encoding_is_one_sentence() -> None:
    text = "source,source_event_id\ns,1\n"
    for content in (text.encode("utf-16"), text.replace("source,", "Überschrift,").encode("latin-1")):
        (row,) = read(content, is_csv=True)
        assert (row.number, row.data) == (1, None) and "save the file as UTF-8" in str(row.wrong)


def test_the_load_mapping_drops_nothing() -> None:
    contact = read_mapping("load", None, instant("2026-11-01T00:00:00Z")).contact(LOAD)
    assert contact == {
        "source": "load",
        "source_event_id": "LC-1",
        "occurred_at": "2026-11-01T00:01:30Z",
        "channel": "web",
        "customer": {"id": "C1"},
        "text": "hello",
        "attributes": {
            "t": "90",
            "customer_basis": "source",
            "channel": "web_form",
            "lang": "other",
            "source": "somewhere",
            "license": "CC0",
        },
    }


def test_a_mapping_says_what_it_lacks() -> None:
    with pytest.raises(Trouble, match="--start"):
        read_mapping("load", None, None)
    with pytest.raises(Trouble, match="no mapping nowhere"):
        read_mapping("nowhere", None, None)
    with pytest.raises(RowError, match="t is not a number"):
        read_mapping("load", "x", instant("2026-11-01")).contact(LOAD | {"t": "soon"})


def test_a_mapping_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "fields: {source_event_id: {from: nr}, source: {value: crm}, channel: {from: via, otherwise: phone}}"
    )
    assert read_mapping(str(own), "crm-2", None).contact({"nr": "7", "more": [1]}) == {
        "source_event_id": "7",
        "source": "crm-2",
        "channel": "phone",
    }
    own.write_text("fields: {text: nr}")
    with pytest.raises(Trouble, match="text must be one of"):
        read_mapping(str(own), None, None)


class Intake:
    """A door that knows identities, refuses what names no customer, and is away now and then."""

    def __init__(self, away: int = 0) -> None:
        self.known: dict[str, str] = {}
        self.order: list[tuple[str, int]] = []
        self.sizes: list[int] = []
        self._away = away

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/x-ndjson"
        if self._away:
            self._away -= 1
            return httpx.Response(503, headers={"Retry-After": "0"})
        contacts = [json.loads(line) for line in request.content.split(b"\n")]
        self.sizes.append(len(contacts))
        if any(one.get("text") == "poison" for one in contacts):
            return httpx.Response(400, json={"title": "unreadable", "status": 400})
        return httpx.Response(200, json={"results": [self._take(one) for one in contacts]})

    def _take(self, contact: dict[str, Any]) -> dict[str, Any]:
        if "customer" not in contact:
            wrong = [{"pointer": "/customer", "message": "is required"}]
            return {"problem": {"title": "Not valid", "status": 422, "errors": wrong, "instance": "x"}}
        identity = contact["source_event_id"]
        duplicate = identity in self.known
        self.known.setdefault(identity, f"contact-{identity}")
        self.order.append((contact["customer"]["id"], contact["n"]))
        return {"contact_id": self.known[identity], "duplicate": duplicate}


def contacts(count: int) -> list[dict[str, Any]]:
    return [{"source_event_id": str(n), "customer": {"id": f"c-{n % 7}"}, "n": n} for n in range(count)]


async def send(intake: Intake, rows: list[dict[str, Any]]) -> tuple[Totals, list[tuple[int, dict[str, Any]]]]:
    totals, refused = Totals(), []
    transport = httpx.MockTransport(intake)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:

        def reject(number: int, problem: dict[str, Any]) -> None:
            refused.append((number, problem))

        async with Sender(client, totals, reject, 3) as sender:
            for number, row in enumerate(rows, 1):
                await sender.add(number, row)
    return totals, refused


async def test_all_arrive_in_order_per_customer_and_a_second_run_adds_nothing() -> None:
    intake = Intake(away=3)
    totals, refused = await send(intake, contacts(4_000))
    assert (totals.new, totals.duplicate, refused) == (4_000, 0, [])
    for customer in range(7):
        mine = [n for who, n in intake.order if who == f"c-{customer}"]
        assert mine == sorted(mine)
    assert max(intake.sizes) <= 500
    totals, _ = await send(intake, contacts(4_000))
    assert (totals.new, totals.duplicate) == (0, 4_000)


async def test_one_bad_row_is_one_bad_row() -> None:
    rows = contacts(300)
    del rows[10]["customer"]
    rows[200]["text"] = "poison"
    totals, refused = await send(Intake(), rows)
    assert totals.new == 298 and totals.rejected == 2
    assert sorted(number for number, _ in refused) == [11, 201]


async def test_a_bad_key_ends_it_with_a_sentence() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"detail": "Needs one of the scopes: intake."})

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url="http://intake") as client:
        with pytest.raises(Trouble, match="scope intake"):
            async with Sender(client, Totals(), lambda *_: None, 2) as sender:
                for number, row in enumerate(contacts(2_000), 1):
                    await sender.add(number, row)


async def test_an_address_where_nobody_answers_ends_it_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    monkeypatch.setattr("services.command.import_contacts.sending._FIRST_SECONDS", 0.1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(nobody), base_url="http://intake") as client:
        with pytest.raises(Trouble, match="ConnectError"):
            async with Sender(client, Totals(), lambda *_: None, 2) as sender:
                await sender.add(1, contacts(1)[0])


async def test_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake()
    real = httpx.AsyncClient
    monkeypatch.setattr(
        httpx, "AsyncClient", lambda **given: real(**given | {"transport": httpx.MockTransport(intake)})
    )
    file = tmp_path / "rows.jsonl"
    good = "\n".join(json.dumps(one) for one in contacts(20))
    file.write_text(f"{good}\nnot json\n{json.dumps({'source_event_id': 'x'})}\n")
    play = Import(file, is_csv=False, mapping=None, source=None, rejects=None, lanes=2, shown=False)
    totals, _ = await play.run("http://intake", "cl_key")
    assert (totals.rows, totals.new, totals.rejected) == (22, 20, 2)
    told = [json.loads(line) for line in (tmp_path / "rows.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [one["row"] for one in told] == [21, 22]
    assert told[1]["problem"]["errors"] == [{"pointer": "/customer", "message": "is required"}]
