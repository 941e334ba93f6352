"""Whatever stands on a topic, the records behind it are read."""

from __future__ import annotations

import os
import random
from typing import Any

import aiokafka.producer.message_accumulator
import aiokafka.producer.producer
import orjson
import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Producer

from shared.contracts.envelope import topic_of
from shared.kafka import group_lag
from tests.broker.conftest import Broker, until
from tests.tally import Tally, parked, said


class _Latin(str):
    """A header name that is not UTF-8, as a careless client may send it."""

    def encode(self, *_: Any) -> bytes:
        return b"caf\xe9"


def _with(headers: list[tuple[str, Any]], **over: bytes | None) -> list[tuple[str, Any]]:
    kept = [(name, value) for name, value in headers if name not in over]
    return kept + [(name, value) for name, value in over.items() if value is not None]


def _poison(tally: Tally) -> dict[str, tuple[Any, Any, list[tuple[str, Any]]]]:
    """Records that nobody should send, by what is wrong with them."""
    random.seed(7)
    good = tally.envelope(said("a", 1))
    headers, data = good.headers(), good.data

    def changed(**fields: Any) -> bytes:
        return orjson.dumps(orjson.loads(data) | fields)

    return {
        "random bytes": (random.randbytes(90), random.randbytes(900), [("x", random.randbytes(50))]),
        "random bytes in our headers": (b"a", random.randbytes(900), headers),
        "nothing at all": (None, None, []),
        "no value": (b"a", None, headers),
        "empty value": (b"a", b"", headers),
        "no key": (None, data, headers),
        "empty key and customer": (b"", changed(customer_id=""), headers),
        "another customer's key": (b"b", data, headers),
        "key that is not UTF-8": (b"\xff\xfe", data, headers),
        "key with NUL": (b"a\x00", changed(customer_id="a\x00"), headers),
        "no headers": (b"a", data, []),
        "no id": (b"a", data, _with(headers, ce_id=None)),
        "empty id": (b"a", data, _with(headers, ce_id=b"")),
        "id with NUL": (b"a", data, _with(headers, ce_id=b"x\x00")),
        "id of 100,000 characters": (b"a", data, _with(headers, ce_id=os.urandom(50_000).hex().encode())),
        "header without a value": (b"a", data, [*_with(headers, ce_id=None), ("ce_id", None)]),
        "header name with NUL": (b"a", data, [("x\x00", b"1"), *_with(headers, ce_id=None)]),
        "header that is not UTF-8": (b"a", data, [("x", b"\xff"), *headers]),
        "another version of CloudEvents": (b"a", data, _with(headers, ce_specversion=b"0.3")),
        "time that is none": (b"a", data, _with(headers, ce_time=b"yesterday")),
        "time without an offset": (b"a", data, _with(headers, ce_time=b"2026-03-02T09:00:00")),
        "time before the first year": (b"a", data, _with(headers, ce_time=b"0001-01-01T00:00:00+14:00")),
        "sequence that is none": (b"a", data, _with(headers, ce_sequence=b"first")),
        "sequence of 5,000 digits": (b"a", data, _with(headers, ce_sequence=b"9" * 5000)),
        "not JSON": (b"a", b"{", headers),
        "another kind of JSON": (b"a", b"[1,2]", headers),
        "JSON 100,000 levels deep": (b"a", b"[" * 100_000, headers),
        "a field missing": (b"a", b'{"customer_id":"a"}', headers),
        "a field of another type": (b"a", changed(number="many"), headers),
        "a number too large for us": (b"a", changed(number=2**40), headers),
        "a number of 4,000 digits": (b"a", b'{"customer_id":"a","number":' + b"9" * 4000 + b"}", headers),
        "an act of the future": (b"a", changed(act="sing"), headers),
        "lone surrogate": (b"a", rb'{"customer_id":"\ud800","number":1}', headers),
        "key of 2 MB": (b"k" * 2_000_000, data, headers),
        "value of 10 MB": (b"a", b'{"customer_id":"a","number":"' + b"x" * 10_000_000 + b'"}', headers),
    }


def _send_raw(broker: Broker, records: list[tuple[Any, Any, list[tuple[str, Any]]]], **more: Any) -> None:
    """Past our own producer's limits, with another client, all into one partition in this order."""
    servers = broker.connection.bootstrap_servers
    producer = Producer({"bootstrap.servers": servers, "message.max.bytes": 12_000_000} | more)
    for key, value, headers in records:
        producer.produce(topic_of("intake"), value=value, key=key, partition=0, headers=headers)
        assert producer.flush(20) == 0


async def test_no_record_stops_a_consumer(broker: Broker) -> None:
    poison = _poison(broker.tally)
    good = [broker.tally.envelope(said("a", n)) for n in range(len(poison))]
    records = []
    for bad, one in zip(poison.values(), good, strict=True):
        records += [bad, (b"a", one.data, one.headers())]
    _send_raw(broker, records)
    consumer = broker.consumer()

    async def finished() -> bool:
        return await group_lag(broker.connection, broker.group, [topic_of("intake")]) == 0

    await until(finished, consumer.run_once, seconds=90)
    assert await broker.tally.numbers() == {"a": list(range(len(poison)))}
    rows = {row.offset // 2: row for row in await broker.tally.rows(parked)}
    assert [name for index, name in enumerate(poison) if index not in rows] == []
    for index, (key, value, _) in enumerate(poison.values()):
        assert (rows[index].key, rows[index].value) == (key, value), "kept as it came"
        assert rows[index].reason


async def test_a_header_name_that_is_not_utf_8_stops_nobody(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    good = broker.tally.envelope(said("a", 1))
    # no client lets one send this: aiokafka's encoder in Python does, when the name says itself how it is encoded
    for module in (aiokafka.producer.producer, aiokafka.producer.message_accumulator):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    producer = broker.producer()
    for value, headers in ((b"{}", [(_Latin("x"), b"1")]), (good.data, good.headers())):
        await producer.send_all(topic_of("intake"), [(b"a", value, headers)])

    async def there() -> bool:
        return await broker.tally.numbers() == {"a": [1]}

    await until(there, broker.consumer().run_once, seconds=60)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_what_others_compress_can_be_read(broker: Broker, codec: str) -> None:
    good = broker.tally.envelope(said("a", 1))
    padded = good.data + b" " * 5000  # worth compressing: else a client sends it as it is
    _send_raw(broker, [(b"a", padded, good.headers())], **{"compression.type": codec})

    async def there() -> bool:
        return await broker.tally.numbers() == {"a": [1]}

    await until(there, broker.consumer().run_once, seconds=20)
