"""Records whose header names are not UTF-8, which Kafka allows and aiokafka raises on, again at every fetch for ever.

One such record from any client would stop a consumer group. Here the bytes that are not UTF-8 become `\\xNN`, so that
the record arrives, is parked like every other that is not ours, and the next ones are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class _Bytes(bytearray):
    """Decodes what it can and shows the rest."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _Bytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's own decoder in Python, which reads from a buffer that can be given."""

    def __iter__(self) -> Any:
        self._maybe_uncompress()
        self._buffer: Any = _Bytes(self._buffer)
        return self


class _Batch:
    """A batch as the fast decoder reads it, and where that gives up, as the slow one does."""

    def __init__(self, batch: Any, raw: Any) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        count = 0
        try:
            for record in self._batch:
                count += 1
                yield record
            return
        except UnicodeDecodeError:
            pass
        yield from islice(_SlowBatch(self._raw), count, None)


class LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What a fetch brought, batch by batch."""

    def next_batch(self, *args: int) -> Any:
        raw = self._next_slice
        batch = super().next_batch(*args)
        return batch if batch is None else _Batch(batch, raw)


def read_leniently() -> None:
    """Makes aiokafka's consumers of this process read so."""
    aiokafka.consumer.fetcher.MemoryRecords = LenientRecords
