"""Tables and statements of schema `ownership`."""

from .keeping import AGENTS_BELL, Book, OwnershipStore
from .tables import metadata

__all__ = ["AGENTS_BELL", "Book", "OwnershipStore", "metadata"]
