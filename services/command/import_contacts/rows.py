"""Rows of a file, one at a time: what each says, or what is wrong with it. Constant memory, whatever the file holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

#: a contact is far smaller; what is longer is not read into memory
LONGEST = 1_000_000
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_BOOLEAN = frozenset({"complaint", "departure_threat"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is the line of a JSONL file, or the row as a spreadsheet counts (the header is 1)."""

    number: int
    data: dict[str, Any] | None
    wrong: str | None = None


class Counted(io.RawIOBase):
    """A file that knows how far it was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.done = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """As RawIOBase has it."""
        got = self._file.read(len(buffer))
        buffer[: len(got)] = got
        self.done += len(got)
        return len(got)


def rows_of(file: Counted, *, is_csv: bool) -> Iterator[Row]:
    """All rows; empty lines are none."""
    buffered = io.BufferedReader(file, 1 << 18)
    return _csv_rows(buffered) if is_csv else _json_rows(buffered)


def _json_rows(file: io.BufferedReader[Counted]) -> Iterator[Row]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            yield Row(number, None, f"longer than {LONGEST:,} bytes")
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            data = orjson.loads(line)
        except ValueError as error:
            yield Row(number, None, f"not JSON: {str(error).split(':')[0]}")
            continue
        yield Row(number, data) if isinstance(data, dict) else Row(number, None, "not a JSON object")


def _csv_rows(file: io.BufferedReader[Counted]) -> Iterator[Row]:
    csv.field_size_limit(LONGEST)
    # bytes that are not UTF-8 come through as lone surrogates, so that one bad row is one bad row
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    first = text.readline(LONGEST)
    delimiter = max(",;\t|", key=first.count)
    if not _is_text(first):
        yield Row(1, None, "the header is not UTF-8, so that no row can be read: save the file as UTF-8")
        return
    names = next(csv.reader([first], delimiter=delimiter), [])
    reader = csv.reader(text, delimiter=delimiter)
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Row(number, None, f"not CSV: {error}")
            continue
        number += 1
        if not any(cells):
            continue
        if len(cells) > len(names):
            yield Row(number, None, f"has {len(cells)} columns where the header has {len(names)}")
        elif not all(_is_text(cell) for cell in cells):
            yield Row(number, None, "not UTF-8")
        else:
            yield Row(number, _nested(names, cells))


def _is_text(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _nested(names: list[str], cells: list[str]) -> dict[str, Any]:
    """A row as the object it stands for: `customer.id` goes inside, an empty cell says nothing."""
    found: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        if cell == "":
            continue
        value: Any = _TRUTH.get(cell.strip().lower(), cell) if name in _BOOLEAN else cell
        put(found, name.strip(), value)
    return found


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Sets a field by its dotted name."""
    *inside, last = path.split(".")
    for step in inside:
        deeper = target.setdefault(step, {})
        target = deeper if isinstance(deeper, dict) else {}
    target[last] = value
