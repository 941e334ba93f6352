"""Tables and statements of schema `ownership`."""

from .agents import MOST_HELD
from .aging import WORDS
from .early import unclaimed
from .keeping import AGENTS_BELL, Book, OwnershipStore, pause_row, row_of
from .tables import metadata

__all__ = [
    "AGENTS_BELL",
    "MOST_HELD",
    "WORDS",
    "Book",
    "OwnershipStore",
    "metadata",
    "pause_row",
    "row_of",
    "unclaimed",
]
