"""How well it hears, on files of a contact center's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.intake.signals.evaluate import evaluate

_LINE = "My router loses the line every evening, number {}"
_BILL = "I was charged two times for invoice {}"
_ZH = ("路由器每天晚上都断线，已经是第{}次", "这个月被重复扣款，账单第{}行")


def _figures(folder: Path, name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return list(evaluate(folder))


def test_causes_of_every_source_count_and_each_apart(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for number in range(8):
        rows += [
            {"text": _LINE.format(number), "cause": "router-drops"},
            {"text": _BILL.format(number), "cause": "billed-twice"},
            {"text": _ZH[0].format(number), "cause": "router-drops", "lang": "zh", "source": "desk"},
            {"text": _ZH[1].format(number), "cause": "billed-twice", "lang": "zh", "source": "desk"},
        ]
    figures = [one for one in _figures(tmp_path, "cause_labels", rows) if one["what"] == "cause, 5 examples each"]
    assert [(one["source"], one["lang"], one["causes"], one["top1"]) for one in figures] == [
        ("", "en", 2, 1.0),
        ("desk", "zh", 2, 1.0),
    ]


def test_a_file_of_complaints_needs_no_reader(tmp_path: Path) -> None:
    rows = [
        {"text": "This is a disgrace, I want to complain.", "lang": "en", "label": "complaint"},
        {"text": "Thank you, all is well.", "lang": "en", "label": "not_complaint"},
    ]
    figures = [one for one in _figures(tmp_path, "complaint", rows) if one["what"] == "complaint"]
    assert [(one["lang"], one["p"], one["r"], one["n"]) for one in figures] == [
        ("en", 1.0, 1.0, 2),
        ("zh", 0.0, 0.0, 0),
    ]
