"""One import from its first row to its last."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.command.import_contacts.mapping import Mapping, RowError
from services.command.import_contacts.rows import Counted, rows_of
from services.command.import_contacts.sending import Sender, Totals


@dataclass
class Import:
    """What to import, and how."""

    file: Path
    is_csv: bool
    mapping: Mapping | None
    source: str | None
    rejects: Path | None
    lanes: int
    shown: bool
    _told: IO[bytes] | None = field(default=None, init=False)
    _totals: Totals = field(default_factory=Totals, init=False)

    async def run(self, base_url: str, key: str) -> tuple[Totals, float]:
        """Imports; answers the totals and the seconds it took."""
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {key}"}
        limits = httpx.Limits(max_connections=self.lanes)
        try:
            with self._open() as file, self._progress() as progress:
                counted = Counted(file)
                bar = progress.add_task("rows", total=self._size(), count=0)
                async with (
                    httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, limits=limits) as client,
                    Sender(client, self._totals, self._reject, self.lanes) as sender,
                ):
                    for row in rows_of(counted, is_csv=self.is_csv):
                        self._totals.rows += 1
                        if row.data is None:
                            self._refuse(row.number, row.wrong or "")
                        elif (contact := self._contact(row.number, row.data)) is not None:
                            await sender.add(row.number, contact)
                        if self._totals.rows % 100 == 0:
                            progress.update(bar, completed=counted.done, count=self._totals.rows)
                progress.update(bar, completed=counted.done, count=self._totals.rows)
        finally:
            if self._told:
                self._told.close()
        return self._totals, time.monotonic() - began

    def _contact(self, number: int, row: dict[str, Any]) -> dict[str, Any] | None:
        if self.mapping is None:
            return row | {"source": self.source} if self.source else row
        try:
            return self.mapping.contact(row)
        except RowError as error:
            self._refuse(number, str(error))
            return None

    def _refuse(self, number: int, why: str) -> None:
        self._totals.rejected += 1
        self._reject(number, {"title": "The row cannot be read", "detail": why})

    def _reject(self, number: int, problem: dict[str, Any]) -> None:
        if self._told is None:
            self.rejects, self._told = self._open_rejects()
        kept = {name: problem[name] for name in ("type", "title", "status", "detail", "errors") if name in problem}
        self._told.write(orjson.dumps({"row": number, "problem": kept}) + b"\n")
        self._told.flush()

    def _open_rejects(self) -> tuple[Path, IO[bytes]]:
        """Beside the file; where nothing may be written there, in the present folder."""
        name = "standard-input" if str(self.file) == "-" else self.file.name
        beside = self.rejects or (Path(name) if str(self.file) == "-" else self.file).with_name(f"{name}.rejects.jsonl")
        try:
            return beside, beside.open("wb")
        except OSError:
            if self.rejects:
                raise
            here = Path(f"{name}.rejects.jsonl")
            return here, here.open("wb")

    @contextlib.contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        if str(self.file) == "-":
            yield sys.stdin.buffer
        else:
            with self.file.open("rb", buffering=0) as file:
                yield file

    def _size(self) -> int | None:
        return None if str(self.file) == "-" else self.file.stat().st_size

    def _progress(self) -> Progress:
        console = Console(stderr=True)
        return Progress(
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[count]:,} rows"),
            TimeRemainingColumn(),
            console=console,
            disable=not self.shown or not console.is_terminal,
        )
