"""`complaint-loop`: the one place that knows all three services."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from services.command.line import run_line


def main(words: Sequence[str] = ()) -> None:
    """The command line: `words`, and what was typed after them."""
    run_line([*words, *sys.argv[1:]])


if __name__ == "__main__":
    main()
