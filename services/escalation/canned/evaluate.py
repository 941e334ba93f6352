"""How well form letters are told: python -m services.escalation.canned.evaluate DATA_DIR LABELS_DIR

Prints one JSON line per figure. DATA_DIR holds `replies_zh.jsonl` ({"id", "reply"}), LABELS_DIR `courtesy.txt` and
`own.txt` (a text a line), `pairs.jsonl` ({"first", "second", "copy"}) and `replies_zh.labels.jsonl` ({"id", "form"},
{"id", "of", "copy"}). Whatever is missing is left out. Rows two careful readers could differ about are left out too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from services.escalation.canned import likeness, sketch

Row = dict[str, Any]


def _rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def figure(name: str, pairs: Iterable[tuple[bool, bool]]) -> Row:
    """(refused, should be) pairs -> precision and recall of refusing."""
    told = list(pairs)
    both = sum(said and so for said, so in told)
    said, so = sum(one for one, _ in told), sum(one for _, one in told)
    return {
        "what": name,
        "precision": round(both / said, 3) if said else None,
        "recall": round(both / so, 3) if so else None,
        "n": len(told),
        "positives": so,
    }


def _refused(text: str, earlier: list[str]) -> bool:
    return not likeness(text, earlier).acceptable


def evaluate(data: Path, labels: Path) -> Iterator[Row]:
    """All figures that the data allow."""
    courtesy, own = _lines(labels / "courtesy.txt"), _lines(labels / "own.txt")
    if courtesy and own:
        told = [(_refused(text, []), True) for text in courtesy] + [(_refused(text, []), False) for text in own]
        yield figure("courtesy alone, own set", told)
    if pairs := _rows(labels / "pairs.jsonl"):
        yield figure("copies, own set", ((_refused(one["second"], [one["first"]]), one["copy"]) for one in pairs))
    replies = {row["id"]: row["reply"] for row in _rows(data / "replies_zh.jsonl")}
    if not replies:
        return
    labelled = _rows(labels / "replies_zh.labels.jsonl")
    read = [row for row in labelled if row["id"] in replies and "borderline" not in row]
    forms = [row for row in read if "form" in row]
    if forms:
        yield figure("courtesy alone, replies", ((_refused(replies[r["id"]], []), bool(r["form"])) for r in forms))
    copies = [row for row in read if "copy" in row]
    if copies:
        yield figure(
            "copies, replies",
            ((_refused(replies[r["id"]], [replies[r["of"]]]), bool(r["copy"])) for r in copies),
        )
    yield from _among_all(list(replies.values()))


def _among_all(texts: list[str]) -> Iterator[Row]:
    """What a board would be told that sends all of them, and whether a sketch finds whatever is refused."""
    refused = alike = found = 0
    pieces = [set(sketch(text)) for text in texts]
    began = time.perf_counter()
    for place, text in enumerate(texts):
        told = likeness(text, texts[:place])
        refused += not told.acceptable
        if told.like is not None and not told.acceptable:
            alike += 1
            found += bool(pieces[place] & pieces[told.like])
    each = (time.perf_counter() - began) / max(len(texts), 1)
    yield {"what": "refused, all replies in order", "n": len(texts), "refused": refused, "copies": alike}
    yield {"what": "copies whose sketch is found again", "n": alike, "found": found}
    yield {"what": "milliseconds a comparison with all earlier", "mean": round(1000 * each, 2)}


def main(arguments: list[str]) -> int:
    """Prints the figures; 2 where the call is wrong."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m services.escalation.canned.evaluate DATA_DIR LABELS_DIR\n")
        return 2
    for row in evaluate(Path(arguments[0]), Path(arguments[1])):
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
