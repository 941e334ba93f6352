"""Tables and statements of schema `intake`."""

from . import hooks
from .book import Book, Customer, Known
from .keeping import IntakeStore
from .tables import metadata

__all__ = ["Book", "Customer", "IntakeStore", "Known", "hooks", "metadata"]
