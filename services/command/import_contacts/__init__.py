"""`import`: contacts from a file, as JSONL or CSV, through the same door as every other contact."""

from services.command.import_contacts.line import add_to

__all__ = ["add_to"]
