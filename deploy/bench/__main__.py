"""`make bench`: each figure with its ceiling, measured in the same run; one JSON line each.

`python -m deploy.bench [NAME …]` runs the named modules of this folder alone.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

MODULES = ("intake", "history", "crowd", "hooks", "ownership", "sweep", "reading", "relay", "mail", "feed", "promises")


def main() -> None:
    """Prints one line per figure, as soon as it is known."""
    named = sys.argv[1:] or list(MODULES)
    unknown = [name for name in named if name not in MODULES]
    if unknown:
        sys.exit(f"No benchmark is named {', '.join(unknown)}; there are: {', '.join(MODULES)}.")
    for name in named:
        for figure in import_module(f"deploy.bench.{name}").run():
            sys.stdout.write(json.dumps(figure) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
