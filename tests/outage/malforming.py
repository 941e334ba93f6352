"""Bodies as no tool should send them, made from good ones; the same for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, urlencode

from tests.outage.doors import Door

_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 10**30, -(2**63) - 1, 1.5, 1e308, float("nan"), float("inf")),
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "\u202e",
        "\ufeff",
        "x" * 3_000,
        "界" * 120_000,
        "%00",
        "'; --",
    ),
    *("0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59"),
    *("2026-02-30T00:00:00Z", "2026-03-02T10:00:00", "2026-03-02", "1e9", "-0", "99999999999999999999", "P1D"),
    *([], {}, [[]], [None], {"id": None}, {"": ""}, {"amount": "1e9999", "currency": "EUR"}, {"id": "\ud800"}),
    *({"amount": "9" * 400, "currency": "EUR"}, {"amount": "-0.00", "currency": "eur"}, {"amount": 1, "currency": ""}),
    *({"amount": "NaN", "currency": "EUR"}, [[[[[[{}]]]]]], "9" * 5_000 + "d", "0d", "99999999w", "-5m"),
]
_NAMES = ["unknown", "", "__proto__", "\x00", "\ud800", "n" * 10_000, "id", "customer_id", "界"]
_WHOLE = [
    *(b"", b" ", b"null", b"true", b"0", b'"x"', b"[]", b"{}", b"[[]]", b"[null]", b"{", b"}", b"NaN", b"-", b"1e999"),
    *(b"[" * 100_000, b'{"a":' * 20_000, b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"\x00", b'{"a":1}{"a":1}'),
    *(b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":' + b"9" * 5_000 + b"}", b"/**/{}", b"{'a':1}"),
]
_KINDS = [
    *("text/plain", "application/json; charset=utf-16", "application/x-ndjson", "multipart/form-data; boundary=x", ""),
    *("application/x-www-form-urlencoded", "application/json; charset=utf-8", "application/vnd.x+json", "/", "json"),
]
_IDEMPOTENCY = [b"", b"\xff", b"k" * 300, b'"', b'""', b"key-1", "schlüssel".encode()]
_BYTES = [b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"%", b"%zz", b",", b'"', b"\n"]
_IDS = [
    "%00",
    "%ff",
    "0",
    "-1",
    "..%2f..",
    "%F0%9F%92%A9",
    "x" * 5_000,
    "1e3",
    "٣",
    "null",
    "%20",
    "99999999999999999999",
]


def malformed(door: Door, dice: random.Random) -> tuple[str, bytes, list[tuple[bytes, bytes]]]:
    """(path, body, headers) of one bad request to a route."""
    ids = dict(door.ids)
    if ids and dice.random() < 0.08:
        ids[dice.choice(list(ids))] = dice.choice(_IDS)
    kind = "application/x-www-form-urlencoded" if door.form else "application/json"
    headers = [(b"content-type", (dice.choice(_KINDS) if dice.random() < 0.06 else kind).encode())]
    if dice.random() < 0.1:
        headers.append((b"idempotency-key", dice.choice(_IDEMPOTENCY)))
    draw = dice.random()
    if draw < 0.12:
        return door.path.format(**ids), dice.choice(_WHOLE), headers
    body = copy.deepcopy(door.body)
    for _ in range(dice.choice((1, 1, 2, 3))):
        _bend(body, dice)
    raw = _form(body) if door.form else json.dumps(body, allow_nan=True).encode()
    return door.path.format(**ids), _broken(raw, dice) if draw > 0.75 else raw, headers


def _bend(body: Any, dice: random.Random) -> None:
    """Changes one place of a body: a value, a name, a thing too much or too little."""
    places = list(_places(body))
    if not places:
        return
    within, key = dice.choice(places)
    kind = dice.randrange(6)
    if kind == 0:
        del within[key]
    elif kind == 1 and isinstance(within, dict):
        within[dice.choice(_NAMES)] = within.pop(key)
    elif kind == 2 and isinstance(within, dict):
        within[dice.choice(_NAMES)] = copy.deepcopy(dice.choice(_VALUES))
    elif kind == 3:
        within[key] = [within[key]]
    else:
        within[key] = copy.deepcopy(dice.choice(_VALUES))


def _places(body: Any) -> Iterator[tuple[Any, Any]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in list(inner):
        yield body, key
        yield from _places(value)


def _form(body: dict[str, Any]) -> bytes:
    told = {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return urlencode(told, errors="surrogatepass", quote_via=quote_plus).encode()


def _broken(raw: bytes, dice: random.Random) -> bytes:
    """Breaks the bytes themselves."""
    at = dice.randrange(len(raw) + 1)
    kind = dice.randrange(5)
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :]
    if kind == 2:
        return raw[:at] + dice.choice(_BYTES) + raw[at:]
    if kind == 3:
        return raw + raw
    return raw[:at] + raw[at:].replace(b'"', b"'", 1)
