"""Words that people in general find ill, beside those that the lexicon of complaints names: unread texts have others.

The list in `rules/ill_words.en.txt` is made from vader_lexicon.txt of vaderSentiment 3.3.2 (MIT), words that ten people
rated from -4 to 4:

    python -m services.intake.signals.valence vader_lexicon.txt > services/intake/signals/rules/ill_words.en.txt
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

ILL = -1.0  # rated as this or lower
_ABOUT = """\
# Words rated -1 or lower in vader_lexicon.txt of vaderSentiment 3.3.2, made by services/intake/signals/valence.py.
# The MIT License. Copyright (c) 2016 C.J. Hutto. Permission is hereby granted, free of charge, to any person obtaining
# a copy of this software and associated documentation files, to deal in it without restriction, provided that this
# notice is in all copies. It is provided as it is, without warranty of any kind.
"""


@cache
def ill_words(file: str) -> frozenset[str]:
    """The words of a list among the rules, read once."""
    content = resources.files(__package__).joinpath("rules", file).read_text(encoding="utf-8")
    return frozenset(word for line in content.splitlines() if not line.startswith("#") for word in line.split())


def rated_ill(lines: Iterable[str]) -> Iterator[str]:
    """Single words of a table `word TAB rating TAB …` that are rated ill, without apostrophes as texts are read."""
    for line in lines:
        word, _, rest = line.partition("\t")
        plain = word.replace("'", "")
        if plain.isalpha() and plain.islower() and len(plain) > 2 and float(rest.split("\t")[0]) <= ILL:
            yield plain


def main(arguments: Sequence[str]) -> int:
    """Prints the list."""
    words = sorted(set(rated_ill(Path(arguments[0]).read_text(encoding="utf-8").splitlines())))
    sys.stdout.write(_ABOUT + "\n".join(words) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
