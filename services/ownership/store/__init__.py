"""Tables and statements of schema `ownership`."""

from .keeping import AGENTS_BELL, Book, OwnershipStore, pause_row
from .tables import metadata

__all__ = ["AGENTS_BELL", "Book", "OwnershipStore", "metadata", "pause_row"]
