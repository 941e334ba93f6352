"""How well it hears: python -m services.intake.signals.evaluate DATA_DIR prints one JSON line per figure.

The texts are read from DATA_DIR and nowhere kept. Rows two careful readers could differ about are left out.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.intake.signals.cause import CauseEar
from services.intake.signals.door import CauseWords, Earlier
from services.intake.signals.hearing import Hearing, language_of
from services.intake.signals.rules import LANGUAGES
from services.intake.signals.text import plain_words

Row = dict[str, Any]
Figure = dict[str, Any]


def rows(data: Path, name: str) -> list[Row]:
    path = data / f"{name}.jsonl"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def figure(name: str, lang: str, pairs: Iterable[tuple[bool, bool]]) -> Figure:
    """(heard, true) pairs -> precision, recall, F1."""
    both = heard = true = number = 0
    for said, is_so in pairs:
        number += 1
        heard += said
        true += is_so
        both += said and is_so
    precision = both / heard if heard else 0.0
    recall = both / true if true else 0.0
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return {
        "what": name,
        "lang": lang,
        "p": round(precision, 3),
        "r": round(recall, 3),
        "f1": round(f1, 3),
        "n": number,
        "positives": true,
    }


def departure(hearing: Hearing, data: Sequence[Row]) -> Iterator[Figure]:
    heard = [(row, hearing.hear(row["text"]).departure_threat) for row in data if not row.get("borderline")]
    for lang in ("en", "zh"):
        mine = [(row, one) for row, one in heard if row["lang"] == lang]
        for name, tiers in (
            ("possible", ("certain", "likely", "possible")),
            ("likely", ("certain", "likely")),
            ("certain", ("certain",)),
        ):
            yield figure(
                f"departure {name} or above", lang, ((one.tier in tiers, row["label"] == 1) for row, one in mine)
            )


def complaint(hearing: Hearing, data: Sequence[Row]) -> Iterator[Figure]:
    heard = [(row, hearing.hear(row["text"]).complaint.value) for row in data if row["label"] != "problem_report"]
    for lang in ("en", "zh"):
        mine = [(row, value) for row, value in heard if row["lang"] == lang]
        yield figure("complaint", lang, ((value is True, row["label"] == "complaint") for row, value in mine))
        yield figure(
            "complaint, true or unknown",
            lang,
            ((value is not False, row["label"] == "complaint") for row, value in mine),
        )
        read = [(row, value) for row, value in mine if row.get("label_by") == "reader"]
        yield figure(
            "complaint, read by a person", lang, ((value is True, row["label"] == "complaint") for row, value in read)
        )


def again(hearing: Hearing, data: Sequence[Row]) -> Iterator[Figure]:
    for lang in ("en", "zh"):
        pairs, suggested = [], []
        for row in data:
            if (
                row["lang"] != lang
                or row["label"] == "same_issue_resolved"
                or row.get("borderline")
                or row.get("near_duplicate")
            ):
                continue
            then = Earlier(
                "earlier", "\n".join(one["text"] for one in row["earlier"]), None, datetime(2020, 1, 1, tzinfo=UTC)
            )
            heard = hearing.hear("\n".join(one["text"] for one in row["later"]), earlier=[then]).repeat
            pairs.append((heard.value is True, row["label"] == "same_issue"))
            suggested.append((heard.of is not None, row["label"] == "same_issue"))
        yield figure("same trouble again", lang, pairs)
        yield figure("same trouble again, suggested", lang, suggested)


def said_before(hearing: Hearing, data: Sequence[Row]) -> Iterator[Figure]:
    for lang in ("en", "zh"):
        mine = [row for row in data if row["lang"] == lang and row["label"] is not None]
        yield figure(
            "the text says it was before",
            lang,
            ((hearing.hear(row["text"]).repeat.quote is not None, row["label"] == 1) for row in mine),
        )


def causes(data: Sequence[Row]) -> Iterator[Figure]:
    """Source by source, since each has causes of its own; a file of one's own need not name a source."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in data:
        if (lang := row.get("lang", "en")) in LANGUAGES:
            groups[(row.get("source", ""), lang)].append(row)
    for (source, lang), mine in sorted(groups.items()):
        for each in (5, 10, 15, 20):
            yield cause(mine, source, lang, each)


def cause(data: Sequence[Row], source: str, lang: str, each: int, draws: int = 3) -> Figure:
    by_code: dict[str, list[str]] = defaultdict(list)
    for row in data:
        by_code[row["cause"]].append(row["text"])
    enough = {code: texts for code, texts in by_code.items() if len(texts) > each}
    firsts, thirds, decided, right = [], [], 0, 0
    number = 0
    for draw in range(draws):
        chance = random.Random(draw)
        known, asked = {}, []
        for code, texts in sorted(enough.items()):
            mixed = chance.sample(texts, len(texts))
            known[code] = mixed[:each]
            asked += [(code, text) for text in mixed[each:]]
        ear = CauseEar([CauseWords(code, examples={lang: examples}) for code, examples in known.items()], lang)
        first = third = 0
        for code, text in asked:
            heard = ear.hear(text, plain_words(text))
            codes = [candidate for candidate, _ in heard.candidates]
            first += bool(codes) and codes[0] == code
            third += code in codes
            decided += heard.value is not None
            right += heard.value == code
        number += len(asked)
        firsts.append(first / max(1, len(asked)))
        thirds.append(third / max(1, len(asked)))
    return {
        "what": f"cause, {each} examples each",
        "source": source,
        "lang": lang,
        "causes": len(enough),
        "top1": round(statistics.mean(firsts), 3) if firsts else 0.0,
        "top3": round(statistics.mean(thirds), 3) if thirds else 0.0,
        "decided": round(decided / max(1, number), 3),
        "right_when_decided": round(right / max(1, decided), 3),
        "n": number,
    }


def flags(hearing: Hearing, data: Sequence[Row]) -> Figure:
    counts: dict[str, int] = defaultdict(int)
    number = 0
    for row in data:
        if row.get("lang") == "en":
            number += 1
            counts[hearing.hear(row["text"]).departure_threat.tier or "none"] += 1
    per = {name: round(1000 * counts[name] / max(1, number), 1) for name in ("certain", "likely", "possible")}
    return {
        "what": "flags per 1,000 contacts",
        "lang": "en",
        **per,
        "certain_and_likely": round(per["certain"] + per["likely"], 1),
        "n": number,
    }


def cost(hearing: Hearing, data: Sequence[Row]) -> Iterator[Figure]:
    groups: dict[str, list[str]] = {"without a cue": [], "with a cue": []}
    for row in data[:3000]:
        tiers = hearing.explain(row["text"])["sentences"] if row.get("lang") in ("en", "zh") else ()
        groups["with a cue" if tiers else "without a cue"].append(row["text"])
    for name, mine in groups.items():
        best = min(_seconds(hearing.hear, mine) for _ in range(3)) if mine else 0.0
        yield {
            "what": f"cost of a text {name}",
            "microseconds": round(1e6 * best / max(1, len(mine)), 1),
            "n": len(mine),
        }


def _seconds(hear: Callable[[str], object], mine: Sequence[str]) -> float:
    begun = time.perf_counter()
    for text in mine:
        hear(text)
    return time.perf_counter() - begun


def evaluate(
    data: Path, hearing: Hearing | None = None, keep: Callable[[Mapping[str, Any]], bool] = lambda row: True
) -> Iterator[Figure]:
    """Every figure, one by one. `keep` picks rows, so that a part can stay unread."""
    hearing = hearing or Hearing(causes=())
    chosen = {
        name: [row for row in rows(data, name) if keep(row)]
        for name in ("departure_threat", "complaint", "repeat_pairs", "repeat_mention", "cause_labels", "load_contacts")
    }
    yield from departure(hearing, chosen["departure_threat"])
    yield flags(hearing, chosen["load_contacts"])
    yield from complaint(hearing, chosen["complaint"])
    yield from again(hearing, chosen["repeat_pairs"])
    yield from said_before(hearing, chosen["repeat_mention"])
    yield from causes(chosen["cause_labels"])
    yield from cost(hearing, chosen["load_contacts"])


def said(kept: Iterable[Any], hearing: Hearing) -> Iterator[Figure]:
    """How what is heard agrees with what people have said of contacts, agents and callers apart: rows with `text`,
    `locale`, `who`, `complaint`, `departure_threat` and `cause`, which are None where nobody has said so.

    `hearing` is to have learned nothing from these rows.
    """
    groups: dict[str, list[tuple[Any, Row]]] = defaultdict(list)
    for one in kept:
        if (lang := language_of(one.text, one.locale)) is not None:
            groups[one.who].append((one, {"text": one.text, "lang": lang}))
    for who, mine in sorted(groups.items()):
        threats = [row | {"label": int(one.departure_threat)} for one, row in mine if one.departure_threat is not None]
        troubles = [
            row | {"label": "complaint" if one.complaint else "not_complaint"}
            for one, row in mine
            if one.complaint is not None
        ]
        known = [row | {"cause": one.cause, "source": who} for one, row in mine if one.cause is not None]
        for figure_of in (*departure(hearing, threats), *complaint(hearing, troubles)):
            if figure_of["n"]:
                yield {"who": who, **figure_of}
        yield from causes(known)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m services.intake.signals.evaluate DATA_DIR\n")
        return 2
    for one in evaluate(Path(arguments[0])):
        sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
