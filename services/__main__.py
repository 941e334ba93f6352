"""`complaint-loop`: the one place that knows all three services."""

from __future__ import annotations

from services.command.line import run_line


def main() -> None:
    """The command line."""
    run_line()


if __name__ == "__main__":
    main()
