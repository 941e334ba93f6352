"""`demo`: real complaints through the whole loop, printed as it happens."""

from services.command.demo.line import add_to

__all__ = ["add_to"]
